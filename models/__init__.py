"""Maths: speech, splitting, embedding, online topics."""
