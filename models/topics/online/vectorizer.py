"""Reproducible word counts for c-TF-IDF: the same batches give the same words, in any process.

Importing this module imports BERTopic, which takes a while; `models.topics.online.partial_fit` imports it on
first use.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.preprocessing import normalize

from models.topics.online.bertopic_adapter import ClassTfidfTransformer, OnlineCountVectorizer
from models.topics.online.centring import Vectors
from models.topics.online.word_usage import WordUsage
from models.topics.online.words import content_words
from models.topics.settings import TopicSettings


class TalkVectorizer(OnlineCountVectorizer):  # type: ignore[misc] # BERTopic is untyped
    """BERTopic's online vectorizer, made deterministic, bounded and fast.

    Differences to the original (`bertopic.vectorizers.OnlineCountVectorizer`):

    - new words join the vocabulary in sorted order; the original's order depends on the hash seed;
    - counts decay only for topics that a batch mentions, so a dormant topic keeps its words;
    - only their rows are returned (`touched` lists them), as a copy: c-TF-IDF normalises in place;
    - a word that a talk repeats n times counts 1 + log n times, as a single talk can repeat any word;
    - the vocabulary is pruned to its most frequent words, but keeps every topic's strongest.

    Attributes:
        vocabulary_: each word's column.
        counts: float64 [1 + topics, room for words], "no topic" first: the decayed counts.
        totals: float64 [room for words]: each word's count in all topics together.
        usage: the talks and sources that have each word, in the rows and columns of the counts.
        touched: the rows of the next documents, in their order.
    """

    def __init__(self, settings: TopicSettings) -> None:
        super().__init__(decay=settings.word_decay, analyzer=content_words)
        self.settings = settings
        self.words: list[str] = []
        self.vocabulary_: dict[str, int] = {}
        self.fixed_vocabulary_ = False
        self.counts: Vectors = np.zeros((1, 1024))
        self.totals: Vectors = np.zeros(1024)
        self.usage = WordUsage.none(1, 1024)
        self.touched: NDArray[np.int64] = np.zeros(0, np.int64)

    def partial_fit(self, raw_documents: Sequence[str]) -> "TalkVectorizer":
        """Count the documents' words, and add a column for each new one."""
        counted = [Counter(content_words(document)) for document in raw_documents]
        self._said = [{word: 1.0 + math.log(times) for word, times in each.items()} for each in counted]
        self._make_room(word for said in self._said for word in said)
        return self

    def update_bow(self, raw_documents: Sequence[str]) -> sp.csr_matrix:
        """Add the counts of one document for each touched row; return these rows' counts so far."""
        for row, said in zip(self.touched.tolist(), self._said, strict=True):
            if said:
                faded = self.decay * self.counts[row]
                self.counts[row] -= faded
                self.totals -= faded
                self._count(row, said)
        if len(self.words) > 1.25 * self.settings.vocabulary:
            self._prune()
        return self.rows(self.touched)

    def note(self, row: int, words: Iterable[str], video_id: str, source: str) -> None:
        """Add that a talk of a source has these words in a topic, as far as they have a column."""
        columns = [self.vocabulary_[word] for word in sorted(set(words)) if word in self.vocabulary_]
        self.usage.note(row, columns, video_id, source)

    def get_feature_names_out(self, input_features: object = None) -> list[str]:
        """Return the words of the columns, in order."""
        return self.words

    def rows(self, rows: NDArray[np.int64]) -> sp.csr_matrix:
        """Return the counts of these rows: csr float64 [rows, words]."""
        return sp.csr_matrix(self.counts[rows, : len(self.words)])

    def append(self, said: Mapping[str, float], usage: Mapping[str, tuple[int, int]] | None = None) -> None:
        """Add a row for one more topic, with these words, and their usage if it is known."""
        self._make_room(said)
        self.counts = np.vstack([self.counts, np.zeros(self.counts.shape[1])])
        self.usage.append()
        self._count(len(self.counts) - 1, said)
        if usage:
            self.usage.put(len(self.counts) - 1, [self.vocabulary_[word] for word in usage], usage.values())

    def usage_of(self, row: int) -> dict[str, tuple[int, int]]:
        """Return the usage of each of a topic's words."""
        columns = np.flatnonzero(self.counts[row, : len(self.words)]).tolist()
        return dict(zip([self.words[column] for column in columns], self.usage.of(row, columns), strict=True))

    def pool(self, row: int, into: int) -> None:
        """Add one topic's counts to another's, before its row is removed."""
        self.counts[into] += self.counts[row]
        self.totals += self.counts[row]
        self.usage.pool(row, into)

    def remove(self, row: int) -> dict[str, float]:
        """Remove a topic's row; return its strongest words with their counts."""
        left = {self.words[column]: float(self.counts[row, column]) for column in self._strongest(row)}
        self.totals -= self.counts[row]
        self.counts = np.delete(self.counts, row, axis=0)
        self.usage.remove(row)
        return left

    def restore(self, words: Sequence[str], counts: sp.csr_matrix, totals: Vectors) -> None:
        """Restore the columns, counts [1 + topics, words] and totals [words], with the usage of no talk."""
        room = max(1024, len(words))
        self.words, self.vocabulary_ = list(words), {word: column for column, word in enumerate(words)}
        self.counts, self.totals = np.zeros((counts.shape[0], room)), np.zeros(room)
        self.counts[:, : len(words)] = counts.toarray()
        self.totals[: len(words)] = totals
        self.usage = WordUsage.none(counts.shape[0], room)

    def _make_room(self, said: Iterable[str]) -> None:
        for word in sorted(set(said).difference(self.vocabulary_)):
            self.vocabulary_[word] = len(self.words)
            self.words.append(word)
        short = len(self.words) - self.counts.shape[1]
        if short > 0:
            more = short + self.counts.shape[1] // 2
            self.counts = np.pad(self.counts, ((0, 0), (0, more)))
            self.totals = np.pad(self.totals, (0, more))
            self.usage.fit(None, self.counts.shape[1])

    def _count(self, row: int, said: Mapping[str, float]) -> None:
        columns = [self.vocabulary_[word] for word in said]
        often = np.array(list(said.values()), np.float64)
        self.counts[row, columns] += often
        self.totals[columns] += often

    def _strongest(self, row: int) -> list[int]:
        present = np.flatnonzero(self.counts[row] > 0)
        rarity = np.log1p(
            self.totals.sum() / max(len(self.words), 1) / np.maximum(self.totals[present], 1e-9)
        )
        strength = self.counts[row, present] * rarity
        order = np.lexsort((present, -strength))[: self.settings.protected_words]
        return [int(column) for column in present[order]]

    def _prune(self) -> None:
        known = len(self.words)
        order = np.lexsort((np.arange(known), -self.totals[:known]))
        kept = set(order[: self.settings.vocabulary].tolist())
        for row in range(len(self.counts)):
            kept.update(self._strongest(row))
        columns = np.array(sorted(kept))
        words, usage = [self.words[column] for column in columns.tolist()], self.usage
        self.restore(words, sp.csr_matrix(self.counts[:, columns]), self.totals[columns])
        usage.fit(columns, self.counts.shape[1])
        self.usage = usage


class TalkTfidf(ClassTfidfTransformer):  # type: ignore[misc] # BERTopic is untyped
    """BERTopic's c-TF-IDF of a few topics, with inverse frequencies over all topics.

    The original treats the given rows as all topics.
    """

    def __init__(self, vectorizer: TalkVectorizer) -> None:
        super().__init__(reduce_frequent_words=True)
        self.vectorizer = vectorizer

    def fit(self, X: sp.csr_matrix, multiplier: object = None) -> "TalkTfidf":  # noqa: N803
        """Compute every word's inverse frequency from the vectorizer's totals."""
        totals = self.vectorizer.totals[: X.shape[1]]
        words_per_topic = max(int(totals.sum() / len(self.vectorizer.counts)), 1)
        self.idf: Vectors = np.log1p(words_per_topic / np.maximum(totals, 1e-9))
        return self

    def transform(self, X: sp.csr_matrix) -> sp.csr_matrix:  # noqa: N803
        """Return c-TF-IDF weights: the root of a word's share of its topic, times its inverse frequency."""
        weights = normalize(X, axis=1, norm="l1", copy=True)
        weights.data = np.sqrt(weights.data) * self.idf[weights.indices]
        return weights
