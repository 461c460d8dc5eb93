"""Embeddings of paragraphs."""
