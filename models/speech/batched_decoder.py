"""faster-whisper's batched decoding, with batches of our own.

Importing this module imports faster-whisper, which takes a second; `models.speech.decoding` does it on first
use.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from faster_whisper import BatchedInferencePipeline
from numpy.typing import NDArray

from models.speech.length_buckets import batches


class LongestFirst(BatchedInferencePipeline):  # type: ignore[misc] # faster-whisper is untyped
    """Decodes windows of a length together (`models.speech.length_buckets`); the original, as they come."""

    def _batched_segments_generator(
        self,
        features: NDArray[np.float32] | list[Any],
        tokenizer: Any,
        chunks_metadata: Sequence[dict[str, Any]],
        batch_size: int,
        *options: Any,
    ) -> Iterator[Any]:
        """Decode windows, float32 [n, mel bins, frames], `batch_size` at once; give segments in order."""
        decoded: list[Any] = []
        windows = chunks_metadata[: len(features)]  # where nobody speaks, it has one of no length
        for batch in batches([window["duration"] for window in windows], batch_size):
            together = [chunks_metadata[window] for window in batch]
            decoded += super()._batched_segments_generator(
                np.asarray(features)[batch], tokenizer, together, len(batch), *options
            )
        return iter(sorted(decoded, key=lambda segment: segment.seek))
