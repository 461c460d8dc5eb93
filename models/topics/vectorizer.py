"""Word counts for c-TF-IDF that replay: the same batches give the same words, in any process.

Importing this module imports BERTopic, which takes seconds; `models.topics.online` does it on first use.
"""

from itertools import chain

import numpy as np
import scipy.sparse as sp
from bertopic.vectorizers import OnlineCountVectorizer

from models.topics.settings import TopicSettings
from models.topics.words import content_words


class TalkVectorizer(OnlineCountVectorizer):  # type: ignore[misc] # BERTopic is untyped
    """BERTopic's online vectorizer, made repeatable and bounded.

    Beyond the original (`bertopic.vectorizers.OnlineCountVectorizer`):

    - new words join the vocabulary in sorted order; the original's order follows the hash seed;
    - only topics that a batch speaks of fade, so a dormant topic keeps its words;
    - the vocabulary is pruned to its most frequent words, but never of a topic's strongest;
    - counts are handed out as a copy, because c-TF-IDF normalises what it gets in place.

    Attributes:
        vocabulary_: each word's column.
        X_: csr float64 [1 + topics, words], "no topic" first: the faded counts.
    """

    def __init__(self, settings: TopicSettings) -> None:
        super().__init__(decay=settings.word_decay, analyzer=content_words)
        self.settings = settings
        self.vocabulary_: dict[str, int] = {}
        self.fixed_vocabulary_ = False
        self.X_ = sp.csr_matrix((0, 0), dtype=np.float64)

    def partial_fit(self, raw_documents: list[str]) -> "TalkVectorizer":
        """Give the documents' new words a column each."""
        words = set(chain.from_iterable(map(content_words, raw_documents)))
        for word in sorted(words.difference(self.vocabulary_)):
            self.vocabulary_[word] = len(self.vocabulary_)
        return self

    def update_bow(self, raw_documents: list[str]) -> sp.csr_matrix:
        """Add the counts of one document a topic, in their order; returns all counts so far."""
        counts = self.transform(raw_documents).astype(np.float64)
        self.X_.resize(counts.shape)
        keep = np.where(np.diff(counts.indptr) > 0, 1.0 - self.decay, 1.0)
        self.X_ = (sp.diags(keep) @ self.X_ + counts).tocsr()
        if self.X_.shape[1] > 1.25 * self.settings.vocabulary:
            self._prune()
        return self.X_.copy()

    def _prune(self) -> None:
        totals = np.asarray(self.X_.sum(axis=0)).ravel()
        kept = set(np.lexsort((np.arange(len(totals)), -totals))[: self.settings.vocabulary].tolist())
        rarity = np.log1p(totals.mean() / np.maximum(totals, 1e-9))
        for start, end in zip(self.X_.indptr[:-1], self.X_.indptr[1:], strict=True):
            columns = self.X_.indices[start:end]
            strength = self.X_.data[start:end] * rarity[columns]
            kept.update(columns[np.lexsort((columns, -strength))[: self.settings.protected_words]].tolist())
        columns = np.array(sorted(kept))
        words = sorted(self.vocabulary_, key=self.vocabulary_.__getitem__)
        self.vocabulary_ = {words[column]: new for new, column in enumerate(columns.tolist())}
        self.X_ = self.X_[:, columns]
