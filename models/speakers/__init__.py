"""Speakers: diarization, voice embeddings and clusters, attribution of words, names in introductions."""
