"""Embeds every voice of a recording, in bounded memory, however long it is.

Before it embeds the first voice, pyannote.audio lays out who speaks alone in every ten seconds of the whole
recording: 0.2 GB for three hours, held until the last voice is embedded. Block by block it is 15 MB.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from pyannote.core import SlidingWindow, SlidingWindowFeature

BLOCK = 768
"""Windows of ten seconds that are laid out at once; whole batches, whatever power of two they have."""


def embed_in_blocks(pipeline: Any) -> None:
    """Let one of pyannote.audio's pipelines embed voices block by block; what it says is the same."""
    whole: Callable[..., npt.NDArray[np.float32]] = pipeline.get_embeddings

    def get_embeddings(
        file: Any, binary_segmentations: SlidingWindowFeature, exclude_overlap: bool = False, hook: Any = None
    ) -> npt.NDArray[np.float32]:
        """As `SpeakerDiarization.get_embeddings`: [windows, local speakers, dimensions].

        `hook` is told of every block by itself.
        """
        every, window = binary_segmentations.data, binary_segmentations.sliding_window
        parts = []
        for begin in range(0, len(every), BLOCK):
            from_here = SlidingWindow(start=window[begin].start, duration=window.duration, step=window.step)
            block = SlidingWindowFeature(every[begin : begin + BLOCK], from_here)
            parts.append(whole(file, block, exclude_overlap=exclude_overlap, hook=hook))
        return np.concatenate(parts)

    pipeline.get_embeddings = get_embeddings
