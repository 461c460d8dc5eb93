"""Dormant topics: excluded from every comparison, but not forgotten."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from models.topics.online.centring import Background, Vectors, compare, unit
from models.topics.settings import TopicSettings


class Sleeping(BaseModel):
    """A dormant topic, without its vectors.

    Attributes:
        words: its strongest words with their c-TF-IDF weights when it became dormant.
        said: its strongest words with their counts.
        usage: bits of the talks and sources that have them; empty if it fell asleep before they were kept.
        size: number of paragraphs it had been assigned.
    """

    topic_id: int
    words: tuple[tuple[str, float], ...]
    said: dict[str, float]
    usage: dict[str, tuple[int, int]] = {}
    count: float
    size: int


class Archive:
    """Dormant topics, in order of becoming dormant; bounded by the number of topics ever born.

    Args:
        anchors, means: float64 [k, d]; recent: float64 [k, r]: as in `AnchoredCentroids`.
    """

    def __init__(
        self,
        settings: TopicSettings,
        sleeping: Iterable[Sleeping],
        anchors: Vectors,
        means: Vectors,
        recent: Vectors,
    ) -> None:
        self._settings = settings
        self.sleeping = list(sleeping)
        self._anchors, self._means, self._recent = anchors, means, recent

    def __len__(self) -> int:
        return len(self.sleeping)

    def get(self, topic_id: int) -> Sleeping | None:
        """Return the topic if it is dormant, else None."""
        return next((each for each in self.sleeping if each.topic_id == topic_id), None)

    def put(self, sleeping: Sleeping, anchor: Vectors, mean: Vectors, recent: Vectors) -> None:
        """Add a topic that becomes dormant."""
        self.sleeping.append(sleeping)
        self._anchors = np.vstack([self._anchors, anchor])
        self._means = np.vstack([self._means, mean])
        self._recent = np.vstack([self._recent, recent])

    def nearest(self, centre: Vectors, background: Background) -> int | None:
        """Return the position of the dormant topic that matches `centre`, float64 [d]; None if none does."""
        if not self.sleeping:
            return None
        share = self._settings.anchor
        centred = background.centre
        topics = unit((1.0 - share) * centred(self._means) + share * centred(self._anchors))
        cosines = compare(centred(centre)[np.newaxis], topics)[0]
        best = int(cosines.argmax())
        return best if cosines[best] >= self._settings.birth_duplicate else None

    def take(self, at: int) -> tuple[Sleeping, Vectors, Vectors, Vectors]:
        """Remove a topic that is revived; return it with its anchor, mean and recent cosines."""
        sleeping = self.sleeping.pop(at)
        taken = self._anchors[at], self._means[at], self._recent[at]
        self._anchors = np.delete(self._anchors, at, axis=0)
        self._means = np.delete(self._means, at, axis=0)
        self._recent = np.delete(self._recent, at, axis=0)
        return sleeping, *taken

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return the vectors; the rest is `sleeping`."""
        return {
            "sleeping_anchors": self._anchors,
            "sleeping_means": self._means,
            "sleeping_recent": self._recent,
        }

    @classmethod
    def from_arrays(
        cls, settings: TopicSettings, sleeping: Iterable[Sleeping], arrays: dict[str, NDArray[Any]]
    ) -> "Archive":
        """Return the archive that `to_arrays` and `sleeping` stored."""
        return cls(
            settings,
            sleeping,
            arrays["sleeping_anchors"].copy(),
            arrays["sleeping_means"].copy(),
            arrays["sleeping_recent"].copy(),
        )
