"""Speech recognition: faster-whisper's decoding in batches, and the filter of hallucinations."""
