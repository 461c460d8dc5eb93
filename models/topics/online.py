"""BERTopic, driven online: one `partial_fit` a batch, with ids that stay."""

import importlib
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.topics.background import Vectors
from models.topics.centroids import AnchoredCentroids
from models.topics.settings import TopicSettings

Words = tuple[tuple[str, float], ...]


class OnlineTopics:
    """A BERTopic whose cluster model is `AnchoredCentroids` and whose words follow the talks.

    BERTopic's ids are the centroids' labels as long as each label first appears in order, and at most
    one new label in a call: it numbers several new ones in the order of a set. So `seeded` shows it all
    seeds in the first call, and a later call may bring one birth.
    """

    def __init__(self, settings: TopicSettings, centroids: AnchoredCentroids) -> None:
        with _without("umap"):
            self._bertopic_module: Any = importlib.import_module("bertopic._bertopic")
            dimensionality = importlib.import_module("bertopic.dimensionality")
            vectorizers = importlib.import_module("bertopic.vectorizers")
            from models.topics.vectorizer import TalkVectorizer
        self._centroids = centroids
        self._vectorizer = TalkVectorizer(settings)
        self._bertopic: Any = self._bertopic_module.BERTopic(
            language="multilingual",  # "english" would strip all but A-Z and digits from the words
            top_n_words=settings.top_words,
            umap_model=dimensionality.BaseDimensionalityReduction(),
            hdbscan_model=_Shown(centroids),
            vectorizer_model=self._vectorizer,
            ctfidf_model=vectorizers.ClassTfidfTransformer(reduce_frequent_words=True),
        )

    @classmethod
    def seeded(
        cls, settings: TopicSettings, centroids: AnchoredCentroids, descriptions: Sequence[str]
    ) -> "OnlineTopics":
        """Topics whose first words are those of their descriptions."""
        online = cls(settings, centroids)
        # A vocabulary of one word would break c-TF-IDF; so "no topic" has words of its own from the start.
        shown = ("paragraphs without topic", *descriptions)
        online._partial_fit((), np.zeros((0, centroids.anchors.shape[1])), shown)
        return online

    def learn(self, texts: Sequence[str], vectors: Vectors) -> list[tuple[int | None, float]]:
        """Learn paragraphs with their unit vectors, float64 [n, d]; each one's topic id and probability."""
        self._partial_fit(texts, vectors, [" "] * (len(self._centroids) + 1))
        topics, probabilities = self._bertopic.topics_, self._bertopic.probabilities_
        given = list(zip(topics, probabilities, strict=True))[: len(texts)]
        return [(int(topic) or None, float(probability)) for topic, probability in given]

    def _partial_fit(self, texts: Sequence[str], vectors: Vectors, shown: Sequence[str]) -> None:
        """One call of BERTopic, with one more document for each label (see `_Shown`)."""
        blank = np.zeros((len(shown), vectors.shape[1]))
        self._bertopic.partial_fit([*texts, *shown], np.vstack([vectors, blank]))
        self._bertopic.topic_sizes_.subtract(range(len(shown)))

    def words(self, topic_id: int) -> Words:
        """The topic's strongest words with their c-TF-IDF weights; none before it has been learned."""
        pairs = self._bertopic.topic_representations_[topic_id]
        return tuple((str(word), float(weight)) for word, weight in pairs if word)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Word counts (csr, "no topic" first) and topic sizes; the columns' words are `vocabulary`."""
        counts = self._vectorizer.X_
        sizes = self._bertopic.topic_sizes_
        return {
            "word_counts": counts.data,
            "word_columns": counts.indices.astype(np.int64),
            "word_rows": counts.indptr.astype(np.int64),
            "topic_sizes": np.array([sizes[label] for label in sorted(sizes)], np.int64),
        }

    def vocabulary(self) -> list[str]:
        """The words of the counts' columns, in order."""
        columns = self._vectorizer.vocabulary_
        return sorted(columns, key=columns.__getitem__)

    @classmethod
    def restored(
        cls,
        settings: TopicSettings,
        centroids: AnchoredCentroids,
        arrays: dict[str, NDArray[Any]],
        vocabulary: Sequence[str],
        words: Sequence[Words],
    ) -> "OnlineTopics":
        """What `to_arrays`, `vocabulary` and `words` (of each topic in turn) described."""
        import scipy.sparse as sp

        online = cls(settings, centroids)
        bertopic, vectorizer = online._bertopic, online._vectorizer
        labels = range(len(words) + 1)
        vectorizer.vocabulary_ = {word: column for column, word in enumerate(vocabulary)}
        vectorizer.X_ = sp.csr_matrix(
            (arrays["word_counts"], arrays["word_columns"], arrays["word_rows"]),
            (len(labels), len(vocabulary)),
        )
        bertopic.topic_mapper_ = online._bertopic_module.TopicMapper(list(labels))
        bertopic.topic_sizes_ = Counter(dict(zip(labels, arrays["topic_sizes"].tolist(), strict=True)))
        bertopic.topic_representations_ = dict(zip(labels, [(), *words], strict=True))
        return online


class _Shown:
    """The centroids as BERTopic sees them: after a batch's paragraphs comes one document for each label.

    Left to itself BERTopic appends a blank document for each topic that a batch leaves out, to a data
    frame, a millisecond at a time. That was half of its cost.
    """

    def __init__(self, centroids: AnchoredCentroids) -> None:
        self._centroids = centroids

    def partial_fit(self, vectors: Vectors, y: object = None) -> "_Shown":
        labels = np.arange(len(self._centroids) + 1)
        fitted = self._centroids.partial_fit(vectors[: len(vectors) - len(labels)])
        self.labels_ = np.concatenate([fitted.labels_, labels])
        self.probabilities_ = np.concatenate([fitted.probabilities_, np.ones(len(labels))])
        return self


@contextmanager
def _without(package: str) -> Iterator[None]:
    """Hide a package while something imports it only because it might be used.

    BERTopic's plots import umap, which compiles itself: 13 s the first time, 1.6 s from then on. BERTopic
    does without it when it is not installed, and so it can do without it here.
    """
    if package in sys.modules:
        yield
        return
    sys.modules[package] = None  # type: ignore[assignment] # Python's own mark for "not to be found"
    try:
        yield
    finally:
        sys.modules.pop(package, None)
