"""Drift of a topic's share, words and centroid; and whether the model still fits the talks."""
