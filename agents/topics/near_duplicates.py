"""recognise: a talk that says again what known ones said is told from one that says something of its own.

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
    """Knows the words of the talks that a topic model has learned, and which events it has rejected.

    Args:
        repeats: the words.
        rejected: hashes of the rejected events' ids.
    """

    def __init__(self, repeats: Repeats | None = None, rejected: Iterable[int] = ()) -> None:
        self._repeats = repeats if repeats is not None else Repeats()
        self._rejected = set(rejected)

    def has_rejected(self, event_id: str) -> bool:
        """Whether an event of this id was rejected."""
        return hashed(event_id) in self._rejected

    def again(self, event: ParagraphsEmbedded, texts: Sequence[str], epoch: int) -> VideoRejected | None:
        """Return the rejection of a talk of which at least half was said in learned ones; else None.

        A known talk that is a part of a longer new one is only told in the log: both count, and a person
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
        """Remember what is said in a talk that counts."""
        self._repeats.add(video_id, texts)

    def to_snapshot(self) -> dict[str, NDArray[Any]]:
        """Return all that is known, under names that begin with `repeats_`; the same bytes every time."""
        return {**self._repeats.to_snapshot(), _REJECTED: np.array(sorted(self._rejected), np.uint64)}

    @classmethod
    def from_snapshot(cls, arrays: dict[str, NDArray[Any]]) -> Recogniser:
        """Return what `to_snapshot` described; one that knows nothing where it described nothing."""
        return cls(Repeats.from_snapshot(arrays), arrays.get(_REJECTED, np.zeros(0, np.uint64)).tolist())
