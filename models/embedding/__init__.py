"""Embeddings of paragraphs, and the language of a text."""
