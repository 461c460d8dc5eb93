"""Small talk of shows: topics at the beginnings and ends of most of their talks, in whatever language."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from models.hashing import hashed

END = 0.05
"""Share of a talk's paragraphs at either end of it."""
SHORT = 10
"""Paragraphs of a talk below which its ends tell nothing, as they are most of it."""
AT_ENDS = 0.5
"""Share of a topic's paragraphs at the ends of talks above which it is small talk, because it is there more
often than everywhere else …"""
SPREAD = 0.2
"""… if this share of the talks of its sources has it, since the first one that had …"""
PARAGRAPHS = 10
"""… and this many paragraphs were counted."""


def is_at_end(position: int, paragraphs: int) -> bool:
    """Return whether a paragraph is among the first or last 5 % of a talk, or is its first or last one.

    >>> [is_at_end(position, 45) for position in (0, 2, 3, 41, 42, 44)]
    [True, True, False, False, True, True]
    """
    return paragraphs >= SHORT and min(position, paragraphs - 1 - position) < END * paragraphs


@dataclass(frozen=True)
class TalkPlaces:
    """Where a topic is in its talks, short ones left out.

    Attributes:
        paragraphs: its paragraphs. at_ends: those at the ends of talks.
        talks: talks that have it. of_talks: talks of its sources since the first that had it.
        sources: number of its sources.
    """

    paragraphs: int
    at_ends: int
    talks: int
    of_talks: int
    sources: int

    @property
    def small_talk(self) -> str:
        """Why it is small talk of the shows, with the figures; empty if it is not.

        >>> TalkPlaces(100, 92, 80, 100, 4).small_talk
        '92 % of its paragraphs are at the ends of talks, and 80 % of the talks of 4 sources have it'
        >>> TalkPlaces(100, 30, 80, 100, 4).small_talk
        ''
        """
        if (
            self.paragraphs < PARAGRAPHS
            or self.at_ends <= AT_ENDS * self.paragraphs
            or self.talks < SPREAD * self.of_talks
        ):
            return ""
        at_ends, spread = 100 * self.at_ends / self.paragraphs, 100 * self.talks / self.of_talks
        of = f"{self.sources} sources" if self.sources > 1 else "its source"
        return (
            f"{at_ends:.0f} % of its paragraphs are at the ends of talks, "
            f"and {spread:.0f} % of the talks of {of} have it"
        )


class Placed(Protocol):
    """A paragraph, its talk, and whether it is at an end of it."""

    @property
    def video_id(self) -> str:
        """Its talk."""

    @property
    def source(self) -> str:
        """The talk's source."""

    @property
    def at_end(self) -> bool:
        """Whether it is at an end of the talk."""


class PlaceCounts:
    """Counts where in the talks each topic is; sources are bits of their hashes.

    Bounded by the number of topics. A model that was saved before places were counted begins with none.
    """

    def __init__(self, counts: Mapping[int, Iterable[int]] | None = None) -> None:
        self._counts = {topic_id: list(row) for topic_id, row in (counts or {}).items()}

    def of(self, topic_id: int) -> TalkPlaces:
        """Return a topic's places."""
        paragraphs, at_ends, talks, of_talks, sources = self._counts.get(topic_id, [0] * 5)
        return TalkPlaces(paragraphs, at_ends, talks, of_talks, sources.bit_count())

    def begin(self, topic_id: int, founders: Iterable[Placed]) -> None:
        """Add a topic with its founding paragraphs of earlier talks."""
        said = list(founders)
        talks, sources = len({each.video_id for each in said}), 0
        for each in said:
            sources |= _bit(each.source)
        self._counts[topic_id] = [len(said), sum(each.at_end for each in said), talks, talks, sources]

    def add(self, source: str, paragraphs: Mapping[int, tuple[int, int]]) -> None:
        """Add a talk: the number of paragraphs of each of its topics, and of those at its ends."""
        bit = _bit(source)
        for topic_id in paragraphs:
            row = self._counts.setdefault(topic_id, [0] * 5)
            row[4] |= bit
        for topic_id, row in self._counts.items():
            said, at_ends = paragraphs.get(topic_id, (0, 0))
            row[0] += said
            row[1] += at_ends
            row[2] += said > 0
            row[3] += row[4] & bit > 0

    def pool(self, topic_id: int, into: int) -> None:
        """Add a topic's counts to those of the topic that it is merged into."""
        gone, row = self._counts.pop(topic_id, [0] * 5), self._counts.setdefault(into, [0] * 5)
        self._counts[into] = [
            *(one + other for one, other in zip(row[:3], gone[:3], strict=True)),
            max(row[3], gone[3], row[2] + gone[2]),
            row[4] | gone[4],
        ]

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return topics, int64 [k], their four counts, int64 [k, 4], and their sources' bits, uint64 [k]."""
        topics = sorted(self._counts)
        rows = [self._counts[topic_id] for topic_id in topics]
        return {
            "place_topics": np.array(topics, np.int64),
            "place_counts": np.array([row[:4] for row in rows], np.int64).reshape(-1, 4),
            "place_sources": np.array([row[4] for row in rows], np.uint64),
        }

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> "PlaceCounts":
        """Return the counts that `to_arrays` stored; none if the arrays are from before."""
        if "place_topics" not in arrays:
            return cls()
        rows = zip(
            arrays["place_topics"].tolist(),
            arrays["place_counts"].tolist(),
            arrays["place_sources"].tolist(),
            strict=True,
        )
        return cls({topic_id: [*counts, sources] for topic_id, counts, sources in rows})


def _bit(source: str) -> int:
    return 1 << hashed(source) % 64
