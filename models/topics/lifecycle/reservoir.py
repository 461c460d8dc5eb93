"""Reservoir sample of all learned paragraphs, for consolidation."""

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.hashing import hashed
from models.topics.online.centring import Vectors
from models.topics.settings import TopicSettings

TEXT = 600
"""Maximum number of stored characters of a paragraph."""


@dataclass(frozen=True)
class Sampled:
    """A paragraph in the sample.

    Attributes:
        topic_id: its latest assignment; that topic may have become an alias since.
        text: its first 600 characters at most.
        source: its talk's source; empty if it was sampled before sources were.
        at_end: it is at an end of its talk.
    """

    paragraph_id: str
    video_id: str
    month: str
    text: str
    topic_id: int | None
    source: str = ""
    at_end: bool = False


class Reservoir:
    """The `settings.reservoir` paragraphs whose ids have the smallest hashes.

    Which paragraphs these are depends on the ids alone, not on order, chance or restarts, and every learned
    paragraph has the same chance of being in the sample.
    """

    def __init__(self, settings: TopicSettings, sampled: Iterable[Sampled], vectors: Vectors) -> None:
        self._settings = settings
        self._vectors = np.zeros((settings.reservoir, vectors.shape[1]), np.float32)
        self._sampled: dict[int, Sampled] = {}
        self._row: dict[int, int] = {}
        self._largest: list[tuple[int, int]] = []
        self._free = list(range(settings.reservoir - 1, -1, -1))
        for each, vector in zip(sampled, vectors, strict=True):
            self.add(each, vector)

    def __len__(self) -> int:
        return len(self._row)

    def add(self, sampled: Sampled, vector: Vectors) -> None:
        """Add a paragraph with its unit vector, [d], if its hash is small enough."""
        key = hashed(sampled.paragraph_id)
        if key in self._row:
            return
        if not self._free:
            if key > -self._largest[0][0]:
                return
            self._remove(-heapq.heappop(self._largest)[0])
        row = self._free.pop()
        self._row[key], self._vectors[row] = row, vector
        self._sampled[key] = replace(sampled, text=sampled.text[:TEXT])
        heapq.heappush(self._largest, (-key, row))

    def drop(self, video_id: str) -> None:
        """Remove a video's paragraphs."""
        gone = [key for key, sampled in self._sampled.items() if sampled.video_id == video_id]
        for key in gone:
            self._remove(key)
        if gone:
            self._largest = [(-key, row) for key, row in self._row.items()]
            heapq.heapify(self._largest)

    def assign(self, paragraph_id: str, topic_id: int | None) -> None:
        """Set the topic of a paragraph, if it is in the sample."""
        key = hashed(paragraph_id)
        if key in self._sampled:
            self._sampled[key] = replace(self._sampled[key], topic_id=topic_id)

    def paragraphs(self) -> list[Sampled]:
        """Return the sample, in the order of the hashes."""
        return [self._sampled[key] for key in sorted(self._row)]

    def vectors(self) -> Vectors:
        """Return its unit vectors, in the same order: float64 [n, d]."""
        rows = [self._row[key] for key in sorted(self._row)]
        return self._vectors[rows].astype(np.float64)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return the vectors as float32, in the order of `paragraphs`."""
        return {"sampled_vectors": self.vectors().astype(np.float32)}

    def _remove(self, key: int) -> None:
        self._free.append(self._row.pop(key))
        del self._sampled[key]
