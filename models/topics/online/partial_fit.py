"""Online driver of BERTopic: one `partial_fit` per batch, with stable ids."""

import importlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from models.topics.online.centring import Vectors
from models.topics.online.centroids import AnchoredCentroids
from models.topics.online.person_names import without_people
from models.topics.online.word_usage import WordUsage
from models.topics.online.words import content_words, stem_of
from models.topics.settings import TopicSettings

Words = tuple[tuple[str, float], ...]
CONSIDERED = 60
"""Strongest words of a topic of which those that describe it are chosen, by the talks that use them."""


@dataclass(frozen=True)
class Worded:
    """A paragraph's text as it describes a topic, with its talk and source ("": unknown)."""

    text: str
    video_id: str
    source: str = ""


class Stored(Protocol):
    """A paragraph that is stored with its talk."""

    @property
    def text(self) -> str:
        """Its text, or the beginning."""

    @property
    def video_id(self) -> str:
        """Its talk."""

    @property
    def source(self) -> str:
        """The talk's source; "" if unknown."""


def worded(stored: Stored) -> Worded:
    """Return a stored paragraph's text without the names of persons, as far as it tells them itself."""
    return Worded(without_people([stored.text])[0], stored.video_id, stored.source)


class OnlineTopics:
    """A BERTopic whose cluster model is `AnchoredCentroids` and whose words follow the talks.

    BERTopic's labels are the centroids': 0 for "no topic", then the slots. Every label is announced before
    BERTopic meets it (several that it finds by itself are numbered in the order of a set), and it only
    processes the labels of the current batch: processing all of them in every call was nine tenths of its
    cost.
    """

    def __init__(self, settings: TopicSettings, centroids: AnchoredCentroids) -> None:
        from models.topics.online import bertopic_adapter
        from models.topics.online.vectorizer import TalkTfidf, TalkVectorizer

        self._mapper: Any = bertopic_adapter.TopicMapper
        self._pandas: Any = importlib.import_module("pandas")
        self._centroids = centroids
        self._most = settings.top_words
        self._vectorizer = TalkVectorizer(settings)
        self._tfidf = TalkTfidf(self._vectorizer)
        self._bertopic: Any = bertopic_adapter.BERTopic(
            language="multilingual",  # "english" would strip all but A-Z and digits from the words
            top_n_words=CONSIDERED,
            umap_model=bertopic_adapter.BaseDimensionalityReduction(),
            hdbscan_model=_Labelled(centroids, self._vectorizer),
            vectorizer_model=self._vectorizer,
            ctfidf_model=self._tfidf,
        )
        self._bertopic.topic_sizes_ = Counter({0: 0})
        self._words: list[Words] = []

    @classmethod
    def seeded(
        cls, settings: TopicSettings, centroids: AnchoredCentroids, descriptions: Sequence[str]
    ) -> "OnlineTopics":
        """Return topics whose first words are those of their descriptions."""
        online = cls(settings, centroids)
        for description in descriptions:
            online.append(count_words([description]), size=0)
        online.refresh()
        return online

    def learn(self, paragraphs: Sequence[Worded], vectors: Vectors) -> list[tuple[int | None, float]]:
        """Learn paragraphs with their unit vectors, float64 [n, d]; return topic ids and probabilities."""
        bertopic = self._bertopic
        bertopic.topic_mapper_ = self._mapper(list(range(len(self._centroids) + 1)))
        bertopic.topic_representations_ = {}  # otherwise it also processes topics outside the batch
        with self._pandas.option_context("mode.string_storage", "python"):  # a third cheaper for a few texts
            bertopic.partial_fit([each.text for each in paragraphs], vectors)
        self._note(paragraphs, bertopic.topics_)
        for label, pairs in bertopic.topic_representations_.items():
            if label:
                self._words[label - 1] = self._chosen(label, pairs)
        ids = [None, *self._centroids.topic_ids]
        given = zip(bertopic.topics_, bertopic.probabilities_, strict=True)
        return [(ids[label], float(probability)) for label, probability in given]

    def words(self, slot: int) -> Words:
        """Return a topic's strongest words with their c-TF-IDF weights, as of its last paragraph."""
        return self._words[slot]

    def append(
        self, said: Mapping[str, float], size: int, usage: Mapping[str, tuple[int, int]] | None = None
    ) -> None:
        """Add the words, and their usage, of the topic in the next slot; `refresh` computes their weights."""
        self._vectorizer.append(said, usage or {})
        self._words.append(())
        self._bertopic.topic_sizes_[len(self._words)] = size

    def pool(self, slot: int, into: int) -> None:
        """Add a topic's words and paragraphs to another's, before its slot is closed."""
        self._vectorizer.pool(slot + 1, into + 1)
        self._bertopic.topic_sizes_[into + 1] += self._bertopic.topic_sizes_[slot + 1]

    def remove(self, slot: int) -> tuple[dict[str, float], int]:
        """Close a slot; return its strongest words with their counts, and its number of paragraphs."""
        sizes = self._bertopic.topic_sizes_
        size = int(sizes[slot + 1])
        for label in range(slot + 1, len(self._words)):
            sizes[label] = sizes[label + 1]
        del sizes[len(self._words)], self._words[slot]
        return self._vectorizer.remove(slot + 1), size

    def refresh(self) -> None:
        """Recompute the words of all topics, as `learn` does for those of a batch."""
        rows = np.arange(1, len(self._words) + 1)
        if not len(rows) or not self._vectorizer.words:
            return
        weights = self.c_tf_idf()[1:]
        bertopic, names = self._bertopic, self._vectorizer.words
        best = bertopic._top_n_idx_sparse(weights, max(bertopic.top_n_words, 30))
        values = bertopic._top_n_values_sparse(weights, best)
        for slot, (columns, scores) in enumerate(zip(best, values, strict=True)):
            order = np.argsort(scores)[::-1][: bertopic.top_n_words]
            pairs = [(names[columns[at]], scores[at]) for at in order if columns[at] is not None]
            self._words[slot] = self._chosen(slot + 1, pairs)

    def c_tf_idf(self) -> Any:
        """Return the c-TF-IDF weights: csr float64 [1 + topics, words], "no topic" first."""
        counts = self._vectorizer.rows(np.arange(len(self._words) + 1))
        return self._tfidf.fit(counts).transform(counts)

    def usage(self, slot: int) -> dict[str, tuple[int, int]]:
        """Return the bits of the talks and sources that have each of a topic's words."""
        return self._vectorizer.usage_of(slot + 1)

    def note(self, slot: int, said: Iterable[Worded]) -> None:
        """Add the talks of paragraphs whose words a topic has already."""
        paragraphs = list(said)
        self._note(paragraphs, [slot + 1] * len(paragraphs))

    def _note(self, paragraphs: Iterable[Worded], labels: Iterable[int]) -> None:
        words: dict[tuple[int, str, str], set[str]] = {}
        for said, label in zip(paragraphs, labels, strict=True):
            words.setdefault((int(label), said.video_id, said.source), set()).update(content_words(said.text))
        for (label, video_id, source), used in words.items():
            self._vectorizer.note(label, used, video_id, source)

    def _chosen(self, label: int, pairs: Iterable[tuple[str, float]]) -> Words:
        """Return the strongest of these words that enough of the topic's talks use, one of each stem."""
        known, forms = self._vectorizer.vocabulary_, dict[str, tuple[str, float]]()
        for word, weight in pairs:
            if word and word in known:
                forms.setdefault(stem_of(word), (str(word), float(weight)))
        weights = dict(forms.values())
        ranked = np.array([known[word] for word in weights], np.int64)
        chosen = self._vectorizer.usage.usual(label, ranked, self._most)
        return tuple((word, weights[word]) for word in (self._vectorizer.words[column] for column in chosen))

    def sizes(self) -> list[int]:
        """Return the number of paragraphs assigned to each slot's topic."""
        return [int(self._bertopic.topic_sizes_[label]) for label in range(1, len(self._words) + 1)]

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return word counts (csr, "no topic" first), their totals and topic sizes.

        The words of the columns are in `vocabulary`.
        """
        counts = self._vectorizer.rows(np.arange(len(self._words) + 1))
        sizes = self._bertopic.topic_sizes_
        return {
            "word_counts": counts.data,
            "word_columns": counts.indices.astype(np.int64),
            "word_rows": counts.indptr.astype(np.int64),
            **self._vectorizer.usage.to_arrays(counts),
            "word_totals": self._vectorizer.totals[: len(self._vectorizer.words)],
            "topic_sizes": np.array([sizes[label] for label in range(len(self._words) + 1)], np.int64),
        }

    def vocabulary(self) -> list[str]:
        """Return the words of the counts' columns, in order."""
        return list(self._vectorizer.words)

    @classmethod
    def restored(
        cls,
        settings: TopicSettings,
        centroids: AnchoredCentroids,
        arrays: dict[str, NDArray[Any]],
        vocabulary: Sequence[str],
        words: Sequence[Words],
    ) -> "OnlineTopics":
        """Return the topics that `to_arrays`, `vocabulary` and `words` (of each slot in turn) stored."""
        import scipy.sparse as sp

        online = cls(settings, centroids)
        counts = sp.csr_matrix(
            (arrays["word_counts"], arrays["word_columns"], arrays["word_rows"]),
            (len(words) + 1, len(vocabulary)),
        )
        online._vectorizer.restore(vocabulary, counts, arrays["word_totals"])
        online._vectorizer.usage = WordUsage.from_arrays(arrays, counts, online._vectorizer.counts.shape[1])
        online._words = list(words)
        online._bertopic.topic_sizes_ = Counter(dict(enumerate(arrays["topic_sizes"].tolist())))
        return online


class _Labelled:
    """The centroids as seen by BERTopic; they pass the topics of a batch on to the vectorizer."""

    def __init__(self, centroids: AnchoredCentroids, vectorizer: Any) -> None:
        self._centroids = centroids
        self._vectorizer = vectorizer

    def partial_fit(self, vectors: Vectors, y: object = None) -> "_Labelled":
        fitted = self._centroids.partial_fit(vectors)
        self.labels_, self.probabilities_ = fitted.labels_, fitted.probabilities_
        self._vectorizer.touched = np.unique(self.labels_)
        return self


def count_words(texts: Iterable[str]) -> dict[str, float]:
    """Return the count of each content word, words in sorted order."""
    said = Counter(word for text in texts for word in content_words(text))
    return {word: float(said[word]) for word in sorted(said)}
