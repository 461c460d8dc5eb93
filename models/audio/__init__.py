"""Audio: decoding to samples, voice activity, spectrograms, stretches of long recordings."""
