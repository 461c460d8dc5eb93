"""Relevance of videos: ranking learned from reviews, its threshold, and agreement of reviewers."""
