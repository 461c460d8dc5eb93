"""Transcripts: formats, glossary, and the paragraphs that they are split into."""
