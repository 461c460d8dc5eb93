"""Detects talks whose content repeats learned talks.

A part of track, whose order it shares: the talk that is learned first is the one that counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import structlog
from numpy.typing import NDArray

from models.dedup.content_overlap import FEWEST, SHARED, Repeats
from models.hashing import hashed
from streams.events import ParagraphsEmbedded, VideoRejected

log = structlog.get_logger()
_REJECTED = "repeats_rejected"


class Recogniser:
    """Recognises repeated content: has the words of all learned talks and the rejected events.

    Args:
        repeats: the index of the words.
        rejected: hashes of the rejected events' ids.
    """

    def __init__(self, repeats: Repeats | None = None, rejected: Iterable[int] = ()) -> None:
        self._repeats = repeats if repeats is not None else Repeats()
        self._rejected = set(rejected)

    def has_rejected(self, event_id: str) -> bool:
        """Return whether an event of this id was rejected."""
        return hashed(event_id) in self._rejected

    def again(self, event: ParagraphsEmbedded, texts: Sequence[str], epoch: int) -> VideoRejected | None:
        """Return the rejection of a talk if at least half of it is in learned talks; otherwise None.

        If a known talk is contained in a longer new one, this only logs a warning: both count, and a person
        decides.
        """
        overlap = self._repeats.find(event.key, texts)
        if overlap.again:
            self._rejected.add(hashed(event.event_id))
            return VideoRejected(video=event.video, rule="duplicate", reason=overlap.why, epoch=epoch)
        for talk in overlap.talks:
            if talk.runs >= FEWEST and talk.of_known >= SHARED:
                log.warning(
                    "a talk contains one that counts already: both count, unless one is withdrawn",
                    video=event.key,
                    contains=talk.video_id,
                    share_of_it=round(talk.of_known, 2),
                )
        return None

    def learn(self, video_id: str, texts: Sequence[str]) -> None:
        """Add the words of a talk that counts."""
        self._repeats.add(video_id, texts)

    def to_snapshot(self) -> dict[str, NDArray[Any]]:
        """Return the state as arrays whose names begin with `repeats_`; equal states give equal bytes."""
        return {**self._repeats.to_snapshot(), _REJECTED: np.array(sorted(self._rejected), np.uint64)}

    @classmethod
    def from_snapshot(cls, arrays: dict[str, NDArray[Any]]) -> Recogniser:
        """Return the instance that `to_snapshot` described; an empty one if the arrays are missing."""
        return cls(Repeats.from_snapshot(arrays), arrays.get(_REJECTED, np.zeros(0, np.uint64)).tolist())
