"""Drift of a topic's share, words and centre; and whether the model still fits the talks."""
