"""faster-whisper's batched decoding with batches by length.

Importing this module imports faster-whisper, which takes a second; `models.speech.decoding` imports it on
first use.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from faster_whisper import BatchedInferencePipeline
from numpy.typing import NDArray

from models.speech.length_buckets import batches


class LongestFirst(BatchedInferencePipeline):  # type: ignore[misc] # faster-whisper is untyped
    """Decodes windows of similar length together (`models.speech.length_buckets`) instead of in order."""

    def _batched_segments_generator(
        self,
        features: NDArray[np.float32] | list[Any],
        tokenizer: Any,
        chunks_metadata: Sequence[dict[str, Any]],
        batch_size: int,
        *options: Any,
    ) -> Iterator[Any]:
        """Decode windows, float32 [n, mel bins, frames], `batch_size` at once; return segments in order."""
        decoded: list[Any] = []
        windows = chunks_metadata[: len(features)]  # without speech it has one entry of zero length
        for batch in batches([window["duration"] for window in windows], batch_size):
            together = [chunks_metadata[window] for window in batch]
            decoded += super()._batched_segments_generator(
                np.asarray(features)[batch], tokenizer, together, len(batch), *options
            )
        return iter(sorted(decoded, key=lambda segment: segment.seek))
