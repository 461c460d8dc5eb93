"""Audio: decoding to samples, voice activity, spectrograms, segments of long recordings."""
