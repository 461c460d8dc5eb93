"""Observes what is said about each concept: the words that describe it, and its drift."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.codebook.codebook import Codebook
from models.concepts.judge import Membership
from models.concepts.meaning import MeaningWatch
from models.topics.drift.watch import DriftSettings, DriftWatch, Spoke
from models.topics.online.batch import Batch
from models.topics.online.partial_fit import Words, count_words
from models.topics.online.words import content_words
from models.topics.results import Drift
from models.topics.settings import TopicSettings

PREFIX = "concept_"
"""Beginning of the names of its arrays in a snapshot."""
_TEXT = "text"


@dataclass(frozen=True)
class Observation:
    """What one more talk changed.

    Attributes:
        words: the words of each concept whose words are others now, strongest first, by topic.
        drifts: the drifts of concepts.
    """

    words: dict[int, Words]
    drifts: tuple[Drift, ...]


class ConceptObserver:
    """Words and drift of concepts; it decides nothing, and no concept moves by what it sees.

    The words are c-TF-IDF over the paragraphs that are about each concept, against all others.

    Args:
        codebook: a concept's first words are those of its name and description.
        dimension: d of the embeddings.

    Attributes:
        meaning: watches whether each concept is still what it says.
    """

    def __init__(self, codebook: Codebook, settings: TopicSettings, dimension: int) -> None:
        from models.topics.online.vectorizer import TalkTfidf, TalkVectorizer

        self._settings = settings
        self._vectorizer = TalkVectorizer(settings)
        self._tfidf = TalkTfidf(self._vectorizer)
        self._drift = DriftWatch(DriftSettings(), dimension)
        self.meaning = MeaningWatch(codebook)
        self._words: dict[int, Words] = {}
        for topic_id, topic in enumerate(codebook.topics, 1):
            self._vectorizer.append(count_words([topic.seed]))
            self._drift.begin(topic_id)
            self._words[topic_id] = ()
        self._words = self._strongest(list(self._words))

    def words(self) -> dict[int, Words]:
        """Return the words of each concept with their c-TF-IDF weights, strongest first."""
        return dict(self._words)

    def observe(
        self, batch: Batch, concepts: Sequence[Sequence[Membership]], *, again: bool = False
    ) -> Observation:
        """Add one talk.

        Args:
            batch: its paragraphs.
            concepts: the concepts that each paragraph is about.
            again: another version of the talk was added before, so it does not count again for drift.
        """
        rows: dict[int, list[int]] = {}
        for row, memberships in enumerate(concepts):
            for topic_id in [each.topic_id for each in memberships] or [0]:
                rows.setdefault(topic_id, []).append(row)
        mentioned = [topic_id for topic_id in sorted(rows) if topic_id]
        self._count(rows, batch.texts)
        before = {topic_id: self._words[topic_id] for topic_id in mentioned}
        self._words |= self._strongest(mentioned)
        spoke = [
            Spoke(
                topic_id,
                tuple(word for row in rows[topic_id] for word in content_words(batch.texts[row])),
                batch.embeddings[rows[topic_id]].astype(np.float64),
                tuple(map(batch.quote, rows[topic_id])),
            )
            for topic_id in mentioned
        ]
        return Observation(
            {
                each: self._words[each]
                for each in mentioned
                if _names(self._words[each]) != _names(before[each])
            },
            () if again else self._drifts(batch, spoke, rows),
        )

    def _drifts(self, batch: Batch, spoke: Sequence[Spoke], rows: dict[int, list[int]]) -> tuple[Drift, ...]:
        """Return the drifts; while it is in doubt that a topic is what it says, that is told instead."""
        texts = {each.topic_id: [batch.texts[row] for row in rows[each.topic_id]] for each in spoke}
        meanings = self.meaning.update(texts, batch.published_on, batch.batch_id)
        drifts = self._drift.update(spoke, batch.published_on, batch.batch_id, batch.video_id, batch.origin)
        return (
            *(each for each in drifts if each.what == "share" or not self._doubts(each)),
            *meanings,
        )

    def _doubts(self, drift: Drift) -> bool:
        """Return whether what has changed is rather what is taken for the topic."""
        latest = drift.rise.recent if drift.rise else drift.videos_after
        return self.meaning.doubts(drift.topic_id, latest)

    def _count(self, rows: dict[int, list[int]], texts: Sequence[str]) -> None:
        touched = sorted(rows)
        documents = [" ".join(texts[row] for row in rows[topic_id]) for topic_id in touched]
        if documents:
            self._vectorizer.touched = np.array(touched, np.int64)
            self._vectorizer.partial_fit(documents).update_bow(documents)

    def _strongest(self, topic_ids: Sequence[int]) -> dict[int, Words]:
        if not topic_ids or not self._vectorizer.words:
            return dict.fromkeys(topic_ids, ())
        counts = self._vectorizer.rows(np.array(topic_ids))
        weights = self._tfidf.fit(counts).transform(counts)
        found = {}
        for at, topic_id in enumerate(topic_ids):
            row = weights.getrow(at)
            order = np.lexsort((row.indices, -row.data))[: self._settings.top_words]
            found[topic_id] = tuple(
                (self._vectorizer.words[row.indices[each]], round(float(row.data[each]), 6)) for each in order
            )
        return found

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return the state as arrays whose names begin with `PREFIX`; equal states give equal bytes."""
        counts = self._vectorizer.rows(np.arange(len(self._words) + 1))
        texts = [
            self._vectorizer.words,
            self._drift.to_json(),
            list(self._words.values()),
            self.meaning.to_json(),
        ]
        arrays = {
            "counts": counts.data,
            "columns": counts.indices.astype(np.int64),
            "rows": counts.indptr.astype(np.int64),
            "totals": self._vectorizer.totals[: len(self._vectorizer.words)],
            _TEXT: np.frombuffer(json.dumps(texts, ensure_ascii=False).encode(), np.uint8),
            **self._drift.to_arrays(),
        }
        return {PREFIX + name: array.copy() for name, array in arrays.items()}

    @classmethod
    def from_arrays(
        cls, codebook: Codebook, settings: TopicSettings, dimension: int, arrays: dict[str, NDArray[Any]]
    ) -> ConceptObserver:
        """Return the observer that `to_arrays` stored; a new one where there is none in the arrays."""
        import scipy.sparse as sp

        observer = cls(codebook, settings, dimension)
        own = {name.removeprefix(PREFIX): array for name, array in arrays.items() if name.startswith(PREFIX)}
        if own:
            vocabulary, drift_words, words, meanings = json.loads(own[_TEXT].tobytes().decode())
            counts = sp.csr_matrix(
                (own["counts"], own["columns"], own["rows"]), (len(codebook.topics) + 1, len(vocabulary))
            )
            observer._vectorizer.restore(vocabulary, counts, own["totals"])
            observer._drift = DriftWatch.from_state(DriftSettings(), dimension, own, drift_words)
            told = (tuple((word, weight) for word, weight in each) for each in words)
            observer._words = dict(enumerate(told, 1))
            observer.meaning.restore(meanings)
        return observer


def _names(words: Words) -> frozenset[str]:
    """Return the words; another order, or other weights, are no change."""
    return frozenset(word for word, _ in words)
