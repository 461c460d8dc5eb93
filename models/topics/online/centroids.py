"""Topics as centroids that follow their paragraphs and stay anchored at their beginning."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.topics.online.centring import Background, Vectors, compare, unit
from models.topics.settings import TopicSettings

Labels = NDArray[np.int64]


class AnchoredCentroids:
    """The cluster model that BERTopic drives: `partial_fit` sets `labels_` and `probabilities_`.

    Every active topic has a slot. Label 0 is "no topic" and slot s has label s + 1, so BERTopic never meets
    the -1 that it would later turn into a topic. Slots close up when a topic leaves; `topic_ids` maps slots
    to topics, whose ids never change.

    A centroid is `(1 - anchor) * mean + anchor * start`, both centred on the background and of unit length.
    The mean of a topic of the codebook is not moved by what lies nearest to it, but by the paragraphs that
    are judged to be about it (`follow`).
    With `cos_k` a paragraph's cosine to centroid k and `floor_k` that topic's floor, let `b` be the topic
    with the highest cosine. Then

        P(k)    = exp(cos_k / T) / Z        for every topic k
        P(none) = exp(floor_b / T) / Z      Z the sum of all of these, T the temperature

    and the paragraph's label is b, or 0 if its cosine is below b's floor. `probabilities_` holds the
    probability of that label.

    Args:
        topic_ids: the topic of each slot.
        anchors: float64 [k, d], unit length: the start of each topic.
        means: float64 [k, d]: running mean of each topic's paragraphs.
        counts: float64 [k]: paragraphs in each mean, capped.
        recent: float64 [k, r]: cosines of each topic's latest paragraphs, newest last, NaN for none.
        definitions: topics 1 … `definitions` come from the codebook; only `follow` moves them.
    """

    def __init__(
        self,
        settings: TopicSettings,
        background: Background,
        *,
        topic_ids: Sequence[int],
        anchors: Vectors,
        means: Vectors,
        counts: Vectors,
        recent: Vectors,
        definitions: int = 0,
    ) -> None:
        self._settings = settings
        self._background = background
        self._definitions = definitions
        self.topic_ids = list(topic_ids)
        self.anchors, self.means, self.counts, self.recent = anchors, means, counts, recent
        self._floors = np.array([self._floor(row) for row in recent], np.float64)
        self._newborn: int | None = None
        self.labels_: Labels = np.zeros(0, np.int64)
        self.probabilities_: Vectors = np.zeros(0)

    @classmethod
    def seeded(cls, settings: TopicSettings, background: Background, seeds: Vectors) -> "AnchoredCentroids":
        """Return topics 1 … k at the seeds, float64 [k, d] of unit length, in their order; k may be 0."""
        k = len(seeds)
        return cls(
            settings,
            background,
            topic_ids=range(1, k + 1),
            anchors=seeds.copy(),
            means=seeds.copy(),
            counts=np.full(k, settings.prior_paragraphs),
            recent=np.full((k, settings.recent_cosines), np.nan),
            definitions=k,
        )

    def __len__(self) -> int:
        return len(self.topic_ids)

    def centroids(self) -> Vectors:
        """Return each topic's centroid, centred and of unit length: float64 [k, d]."""
        share, centre = self._settings.anchor, self._background.centre
        return unit((1.0 - share) * centre(self.means) + share * centre(self.anchors))

    def cosines_to(self, vectors: Vectors) -> Vectors:
        """Return the centred cosine of each of [n, d] vectors to each topic: float64 [n, k]."""
        return compare(self._background.centre(vectors), self.centroids())

    def highest_cosines(self, vectors: Vectors) -> Vectors:
        """Return each of [n, d] vectors' highest cosine with a topic, float64 [n]; -1 without topics."""
        return np.asarray(self.cosines_to(vectors).max(axis=1, initial=-1.0))

    def floors(self) -> Vectors:
        """Return each topic's floor, float64 [k]."""
        return self._floors.copy()

    def predict(self, vectors: Vectors) -> tuple[Labels, Vectors]:
        """Return the label of each of [n, d] unit vectors and its probability, without learning."""
        return self._label(self.cosines_to(vectors))

    def add(self, topic_id: int, centre: Vectors, cosines: Sequence[float]) -> None:
        """Add a newborn topic at `centre`, float64 [d], in the next slot; `cosines` are its founders'."""
        recent = np.full(self._settings.recent_cosines, np.nan)
        latest = np.asarray(cosines[-len(recent) :], dtype=np.float64)
        recent[len(recent) - len(latest) :] = latest
        count = min(float(len(cosines)), self._settings.paragraph_cap)
        self.put(topic_id, unit(centre), centre, count, recent)
        self._newborn = len(self)

    def settle(self) -> None:
        """Let the next paragraphs move a topic that was just added, as its founders are not among them."""
        self._newborn = None

    def put(self, topic_id: int, anchor: Vectors, mean: Vectors, count: float, recent: Vectors) -> None:
        """Add a topic in the next slot, with the given state."""
        self.topic_ids.append(topic_id)
        self.anchors = np.vstack([self.anchors, anchor])
        self.means = np.vstack([self.means, mean])
        self.counts = np.append(self.counts, count)
        self.recent = np.vstack([self.recent, recent])
        self._floors = np.append(self._floors, self._floor(recent))

    def remove(self, slot: int) -> None:
        """Close a slot; the following ones move up by one."""
        del self.topic_ids[slot]
        self.anchors = np.delete(self.anchors, slot, axis=0)
        self.means = np.delete(self.means, slot, axis=0)
        self.counts = np.delete(self.counts, slot)
        self.recent = np.delete(self.recent, slot, axis=0)
        self._floors = np.delete(self._floors, slot)

    def pool(self, slot: int, into: int) -> None:
        """Pool a topic's mean into another's, before its slot is closed."""
        both = self.counts[slot] + self.counts[into]
        self.means[into] += (self.means[slot] - self.means[into]) * (self.counts[slot] / both)
        self.counts[into] = min(both, self._settings.paragraph_cap)

    def follow(self, topic_id: int, vector: Vectors) -> None:
        """Move a topic of the codebook by a paragraph that is about it, a unit vector float64 [d]."""
        if topic_id in self.topic_ids:
            k = self.topic_ids.index(topic_id)
            self.counts[k] = min(self.counts[k] + 1.0, self._settings.paragraph_cap)
            self.means[k] += (vector - self.means[k]) / self.counts[k]

    def copy(self) -> "AnchoredCentroids":
        """Return a copy of the topics, for trials."""
        return self.from_arrays(self._settings, self._background, self.to_arrays(), self._definitions)

    def moves(self, slot: int) -> bool:
        """Return whether a topic is moved by what is assigned to it: those of the codebook are not."""
        return self.topic_ids[slot] > self._definitions

    def partial_fit(self, vectors: Vectors, y: object = None) -> "AnchoredCentroids":
        """Label [n, d] unit vectors by the current centroids, then move the centroids.

        A topic that was added just before does not move: its founders are in its mean already.
        """
        to_topics = self.cosines_to(vectors)
        self.labels_, self.probabilities_ = self._label(to_topics)
        for vector, label, row in zip(vectors, self.labels_, to_topics, strict=True):
            if label and label != self._newborn:
                self._move(int(label) - 1, vector, float(row[label - 1]))
        for label in np.unique(self.labels_):
            if label:
                self._floors[label - 1] = self._floor(self.recent[label - 1])
        self._newborn = None
        return self

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return the current constructor arguments."""
        return {
            "topic_ids": np.array(self.topic_ids, np.int64),
            "anchors": self.anchors,
            "means": self.means,
            "counts": self.counts,
            "recent_cosines": self.recent,
        }

    @classmethod
    def from_arrays(
        cls,
        settings: TopicSettings,
        background: Background,
        arrays: dict[str, NDArray[Any]],
        definitions: int,
    ) -> "AnchoredCentroids":
        """Return the centroids that `to_arrays` stored."""
        return cls(
            settings,
            background,
            topic_ids=arrays["topic_ids"].tolist(),
            anchors=arrays["anchors"].copy(),
            means=arrays["means"].copy(),
            counts=arrays["counts"].copy(),
            recent=arrays["recent_cosines"].copy(),
            definitions=definitions,
        )

    def _label(self, cosines: Vectors) -> tuple[Labels, Vectors]:
        if not len(self):
            return np.zeros(len(cosines), np.int64), np.ones(len(cosines))
        best = cosines.argmax(axis=1)
        rows = np.arange(len(cosines))
        floor = self._floors[best]
        none_first = np.column_stack([floor, cosines]) / self._settings.temperature
        weights = np.exp(none_first - none_first.max(axis=1, keepdims=True))
        labels = np.where(cosines[rows, best] >= floor, best + 1, 0).astype(np.int64)
        return labels, np.asarray(weights[rows, labels] / weights.sum(axis=1))

    def _floor(self, recent: Vectors) -> float:
        s = self._settings
        cosines = recent[~np.isnan(recent)]
        if len(cosines) < s.min_cosines:
            return s.floor
        low = float(np.percentile(cosines, s.floor_percentile)) - s.floor_slack
        return min(max(low, s.floor), s.floor_ceiling)

    def _move(self, k: int, vector: Vectors, cosine: float) -> None:
        if self.moves(k):
            self.counts[k] = min(self.counts[k] + 1.0, self._settings.paragraph_cap)
            self.means[k] += (vector - self.means[k]) / self.counts[k]
        self.recent[k, :-1] = self.recent[k, 1:]
        self.recent[k, -1] = cosine
