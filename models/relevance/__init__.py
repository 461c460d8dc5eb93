"""Relevance of videos: a ranking learned from reviews, its threshold, and the agreement of reviewers."""
