"""Nouns: settings, events, topics, the broker, blobs, the store."""
