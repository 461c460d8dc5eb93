"""Log-mel spectrogram for Whisper, computed in blocks to bound memory.

faster-whisper computes the spectrogram of a whole stretch at once and holds every intermediate array: 0.5 GB
for ten minutes, for a result of 19 MB (`tests/speech/test_spectrogram.py`).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from faster_whisper.feature_extractor import FeatureExtractor

BLOCK = 3_000
"""Frames per block: 30 s."""
MARGIN = 2
"""Frames on either side of a block whose samples overlap it."""
DEEP = 2.0
"""Dynamic range below the loudest value; lower ones are raised to it (Whisper's 8 powers of ten, scaled)."""


class InBlocks(FeatureExtractor):  # type: ignore[misc] # faster-whisper has no types for it
    """faster-whisper's extractor, block by block; the result is the same except for rounding."""

    def __call__(
        self, waveform: npt.NDArray[np.float32], padding: int = 160, chunk_length: int | None = None
    ) -> npt.NDArray[np.float32]:
        """Return the log-mel spectrogram, [mels, frames], as `FeatureExtractor`.

        Args:
            waveform: float32 [n], mono, 16 kHz.
            padding: samples of silence to append.
            chunk_length: seconds of a window from now on; None: unchanged.
        """
        padded = np.pad(waveform, (0, padding))
        parts: list[npt.NDArray[np.float32]] = []
        for begin in range(0, max(1, len(padded) // self.hop_length), BLOCK):
            before = min(begin, MARGIN)
            samples = slice((begin - before) * self.hop_length, (begin + BLOCK + MARGIN) * self.hop_length)
            part = super().__call__(padded[samples], padding=0, chunk_length=chunk_length)
            parts.append(part[:, before : before + BLOCK])
        whole = np.concatenate(parts, axis=1)
        # Each block was floored at its own maximum less DEEP, which is no higher than the whole's.
        np.maximum(whole, whole.max() - DEEP, out=whole)
        return whole
