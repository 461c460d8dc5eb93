"""Artefacts of talks in the blob store (audio, drafts, partial and finished transcripts); files handed in."""
