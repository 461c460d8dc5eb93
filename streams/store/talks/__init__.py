"""Queries of talks: status, listing, quotes, paragraphs, search."""
