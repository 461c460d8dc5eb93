"""Talks in the store: status, listing, quotes, paragraphs, search."""
