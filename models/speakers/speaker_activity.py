"""Activity of each speaker in bounded memory, for any length of recording and number of speakers.

pyannote.audio analyses windows of ten seconds, each shifted by one second, and finally expands all windows
for all speakers at once: 0.17 GB per speaker for ten hours. But each speaker's sum is independent of the
others. So this module computes them one after another.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from pyannote.core import SlidingWindowFeature

from models.loading.pyannote_audio import Inference

BLOCK = 10_000
"""Frames in which speakers are ranked at once."""


def add_up_by_speaker(pipeline: Any) -> None:
    """Make a pyannote.audio pipeline aggregate one speaker after another; the result is unchanged."""
    pipeline.reconstruct = _reconstruct


def _reconstruct(
    segmentations: SlidingWindowFeature,
    hard_clusters: npt.NDArray[np.int8],
    count: SlidingWindowFeature,
) -> SlidingWindowFeature:
    """Reconstruct the diarization, as `SpeakerDiarization.reconstruct` does.

    Args:
        segmentations: [windows, frames, local speakers], activity of each.
        hard_clusters: [windows, local speakers], the speaker each belongs to; negative: none.
        count: [all frames, 1], number of active speakers.

    Returns:
        [all frames, speakers], 1 for an active speaker: the `count` most active ones of each frame.
    """
    added = [_activity(segmentations, hard_clusters == who, count) for who in range(hard_clusters.max() + 1)]
    activities = SlidingWindowFeature(np.hstack([each.data for each in added]), added[0].sliding_window)
    missing = int(count.data.max()) - activities.data.shape[1]
    if missing > 0:
        activities.data = np.pad(activities.data, ((0, 0), (0, missing)))
    extent = activities.extent & count.extent
    activities = activities.crop(extent, return_data=False)
    counted = count.crop(extent)
    active = np.zeros_like(activities.data)
    for begin in range(0, min(len(active), len(counted)), BLOCK):
        block = slice(begin, begin + BLOCK)
        speak = np.arange(active.shape[1]) < counted[block][: len(active) - begin]
        most_active = np.argsort(-activities.data[block], axis=-1)[: len(speak)]
        np.put_along_axis(active[block], most_active, speak.astype(active.dtype), axis=-1)
    return SlidingWindowFeature(active, activities.sliding_window)


def _activity(
    segmentations: SlidingWindowFeature, whose: npt.NDArray[np.bool_], count: SlidingWindowFeature
) -> SlidingWindowFeature:
    """Aggregate one speaker's windows to [all frames, 1]; `whose`: [windows, local speakers], bool."""
    windows, frames, _ = segmentations.data.shape
    own = np.full((windows, frames, 1), np.nan, np.float32)
    for window in np.flatnonzero(whose.any(axis=1)):
        own[window, :, 0] = segmentations.data[window][:, whose[window]].max(axis=1)
    return Inference.aggregate(
        SlidingWindowFeature(own, segmentations.sliding_window),
        count.sliding_window,
        missing=0.0,
        skip_average=True,
    )
