"""The ledger of learned batches and videos, so that nothing counts twice."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.hashing import hashed


class Ledger:
    """Ids as 8-byte hashes: some 16 bytes for a video of one version, whatever the length of its id.

    Args:
        batches: hashes of the learned batches.
        videos: hashes of the videos, in order of first learning.
    """

    def __init__(self, batches: Iterable[int] = (), videos: Iterable[int] = ()) -> None:
        self._batches = set(batches)
        self._index = {video: index for index, video in enumerate(videos)}

    def has_batch(self, batch_id: str) -> bool:
        """Return whether this batch was entered."""
        return hashed(batch_id) in self._batches

    def has_video(self, video_id: str) -> bool:
        """Return whether a batch of this video was entered."""
        return hashed(video_id) in self._index

    def enter(self, batch_id: str, video_id: str) -> int:
        """Enter a batch; return its video's index, dense from 0 in order of first entry."""
        self._batches.add(hashed(batch_id))
        return self._index.setdefault(hashed(video_id), len(self._index))

    def enter_batch(self, batch_id: str) -> None:
        """Enter a batch without a video."""
        self._batches.add(hashed(batch_id))

    def index_of(self, video_id: str) -> int:
        """Return the index that `enter` gave this video; KeyError if it was never entered."""
        return self._index[hashed(video_id)]

    @property
    def videos(self) -> int:
        """Number of videos."""
        return len(self._index)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return batches in the order of their hashes, videos in the order of their index: uint64."""
        return {
            "learned_batches": np.array(sorted(self._batches), np.uint64),
            "learned_videos": np.array(list(self._index), np.uint64),
        }

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> "Ledger":
        """Return the ledger that `to_arrays` stored."""
        return cls(arrays["learned_batches"].tolist(), arrays["learned_videos"].tolist())
