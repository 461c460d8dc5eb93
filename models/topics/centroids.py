"""Topics as centroids that follow their paragraphs and stay anchored where they began."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.topics.background import Background, Vectors, compare, unit
from models.topics.settings import TopicSettings


class AnchoredCentroids:
    """The cluster model that BERTopic drives: `partial_fit` sets `labels_` and `probabilities_`.

    Label 0 is "no topic" and topic k has label k, so BERTopic never meets the -1 that it would later
    turn into a topic. Labels are never re-used or re-ordered, which is what keeps topic ids stable.

    A centroid is `(1 - anchor) * mean + anchor * start`, both centred on the background and at unit
    length. With `cos_k` a paragraph's cosine to centroid k and `floor_k` that topic's floor, let `b` be
    the topic with the highest cosine. Then

        P(k)    = exp(cos_k / T) / Z        for every topic k
        P(none) = exp(floor_b / T) / Z      Z the sum of all of these, T the temperature

    and the paragraph's label is the most probable: b, or 0 where its cosine is under its own floor.
    `probabilities_` holds the probability of that label.

    Args:
        anchors: float64 [k, d], unit length: where each topic began.
        means: float64 [k, d]: running mean of each topic's paragraphs.
        counts: float64 [k]: paragraphs in each mean, capped.
        recent: float64 [k, r]: each topic's latest paragraphs' cosines, newest last, NaN where none.
    """

    def __init__(
        self,
        settings: TopicSettings,
        background: Background,
        *,
        anchors: Vectors,
        means: Vectors,
        counts: Vectors,
        recent: Vectors,
    ) -> None:
        self._settings = settings
        self._background = background
        self.anchors, self.means, self.counts, self.recent = anchors, means, counts, recent
        self._newborn: int | None = None
        self.labels_: NDArray[np.int64] = np.zeros(0, np.int64)
        self.probabilities_: Vectors = np.zeros(0)

    @classmethod
    def seeded(cls, settings: TopicSettings, background: Background, seeds: Vectors) -> "AnchoredCentroids":
        """One topic for each of the seeds, float64 [k, d] of unit length, in their order; k may be 0."""
        k = len(seeds)
        return cls(
            settings,
            background,
            anchors=seeds.copy(),
            means=seeds.copy(),
            counts=np.full(k, settings.prior_paragraphs),
            recent=np.full((k, settings.recent_cosines), np.nan),
        )

    def __len__(self) -> int:
        return len(self.anchors)

    def cosines_to(self, vectors: Vectors) -> Vectors:
        """Centred cosine of each of [n, d] vectors to each topic: float64 [n, k]."""
        return compare(self._background.centre(vectors), self._centroids())

    def highest_cosines(self, vectors: Vectors) -> Vectors:
        """Each of [n, d] vectors' highest cosine with a topic, float64 [n]; -1 where there are no topics."""
        return np.asarray(self.cosines_to(vectors).max(axis=1, initial=-1.0))

    def floors(self) -> Vectors:
        """Each topic's floor, float64 [k]."""
        s = self._settings
        floors = np.full(len(self), s.floor)
        settled = (~np.isnan(self.recent)).sum(axis=1) >= s.min_cosines
        if settled.any():
            low = np.nanpercentile(self.recent[settled], s.floor_percentile, axis=1)
            floors[settled] = np.clip(low - s.floor_slack, s.floor, s.floor_ceiling)
        return floors

    def add(self, centre: Vectors, cosines: Sequence[float]) -> None:
        """Found a topic at `centre`, float64 [d], with the next label; `cosines` are its founders'."""
        recent = np.full(self._settings.recent_cosines, np.nan)
        latest = np.asarray(cosines[-len(recent) :], dtype=np.float64)
        recent[len(recent) - len(latest) :] = latest
        self.anchors = np.vstack([self.anchors, unit(centre)])
        self.means = np.vstack([self.means, centre])
        self.counts = np.append(self.counts, min(float(len(cosines)), self._settings.paragraph_cap))
        self.recent = np.vstack([self.recent, recent])
        self._newborn = len(self)

    def partial_fit(self, vectors: Vectors, y: object = None) -> "AnchoredCentroids":
        """Label [n, d] unit vectors by the centroids as they are, then move the centroids.

        A topic that was added just before does not move: its founders are its mean already.
        """
        to_topics = self.cosines_to(vectors)
        self.labels_, self.probabilities_ = self._label(to_topics)
        for vector, label, row in zip(vectors, self.labels_, to_topics, strict=True):
            if label and label != self._newborn:
                self._move(int(label) - 1, vector, float(row[label - 1]))
        self._newborn = None
        return self

    def to_arrays(self) -> dict[str, Vectors]:
        """The four arrays this was made of, as they are now."""
        return {
            "anchors": self.anchors,
            "means": self.means,
            "counts": self.counts,
            "recent_cosines": self.recent,
        }

    @classmethod
    def from_arrays(
        cls, settings: TopicSettings, background: Background, arrays: dict[str, NDArray[Any]]
    ) -> "AnchoredCentroids":
        """The centroids that `to_arrays` described."""
        return cls(
            settings,
            background,
            anchors=arrays["anchors"].copy(),
            means=arrays["means"].copy(),
            counts=arrays["counts"].copy(),
            recent=arrays["recent_cosines"].copy(),
        )

    def _label(self, cosines: Vectors) -> tuple[NDArray[np.int64], Vectors]:
        if not len(self):
            return np.zeros(len(cosines), np.int64), np.ones(len(cosines))
        best = cosines.argmax(axis=1)
        rows = np.arange(len(cosines))
        floor = self.floors()[best]
        none_first = np.column_stack([floor, cosines]) / self._settings.temperature
        weights = np.exp(none_first - none_first.max(axis=1, keepdims=True))
        labels = np.where(cosines[rows, best] >= floor, best + 1, 0).astype(np.int64)
        return labels, np.asarray(weights[rows, labels] / weights.sum(axis=1))

    def _move(self, k: int, vector: Vectors, cosine: float) -> None:
        self.counts[k] = min(self.counts[k] + 1.0, self._settings.paragraph_cap)
        self.means[k] += (vector - self.means[k]) / self.counts[k]
        self.recent[k] = np.append(self.recent[k, 1:], cosine)

    def _centroids(self) -> Vectors:
        share = self._settings.anchor
        centre = self._background.centre
        return unit((1.0 - share) * centre(self.means) + share * centre(self.anchors))
