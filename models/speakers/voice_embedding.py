"""Embedding of every voice of a recording in bounded memory, for any length of recording.

Before its first embedding, pyannote.audio builds the masks of single speakers for all ten-second windows of
the recording: 0.2 GB for three hours, held until the last voice is embedded. Block by block it is 15 MB.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from pyannote.core import SlidingWindow, SlidingWindowFeature

BLOCK = 768
"""Windows of ten seconds per block; a whole number of batches for any batch size that is a power of two."""


def embed_in_blocks(pipeline: Any) -> None:
    """Make a pyannote.audio pipeline embed voices block by block; the result is unchanged."""
    whole: Callable[..., npt.NDArray[np.float32]] = pipeline.get_embeddings

    def get_embeddings(
        file: Any, binary_segmentations: SlidingWindowFeature, exclude_overlap: bool = False, hook: Any = None
    ) -> npt.NDArray[np.float32]:
        """Return embeddings, as `SpeakerDiarization.get_embeddings`: [windows, local speakers, dimensions].

        `hook` is called for every block separately.
        """
        every, window = binary_segmentations.data, binary_segmentations.sliding_window
        parts = []
        for begin in range(0, len(every), BLOCK):
            from_here = SlidingWindow(start=window[begin].start, duration=window.duration, step=window.step)
            block = SlidingWindowFeature(every[begin : begin + BLOCK], from_here)
            parts.append(whole(file, block, exclude_overlap=exclude_overlap, hook=hook))
        return np.concatenate(parts)

    pipeline.get_embeddings = get_embeddings
