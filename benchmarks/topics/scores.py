"""Scores of topics: by people's labels, by their words, and by the calibration of their probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from models.topics.online.words import content_words

WORDS = 10
"""Words of a topic that its coherence and diversity are measured on."""
WINDOW = 110
"""Words of the sliding window that C_v counts in, as its authors use."""
Given = Sequence[int | None]


def agreement(labels: Sequence[str], given: Given) -> dict[str, float]:
    """NMI (arithmetic mean) and ARI between people's labels and topics; "no topic" is a class of its own."""
    topics = [0 if topic is None else topic for topic in given]
    return {
        "nmi": float(normalized_mutual_info_score(labels, topics)),
        "ari": float(adjusted_rand_score(labels, topics)),
    }


def strongest_words(texts: Sequence[Sequence[str]], given: Given) -> list[list[str]]:
    """Each topic's ten strongest words by c-TF-IDF (Grootendorst 2022), of the paragraphs it was given.

    The same words for every system, whatever words it would show: what is measured is the grouping.
    """
    columns = {word: at for at, word in enumerate(sorted({word for text in texts for word in text}))}
    names = list(columns)
    rows = {topic: at for at, topic in enumerate(sorted({topic for topic in given if topic is not None}))}
    pairs = [
        (rows[t], columns[word])
        for t, text in zip(given, texts, strict=True)
        if t is not None
        for word in text
    ]
    if not pairs:
        return []
    at = np.array(pairs)
    counts = sp.csr_matrix((np.ones(len(at)), (at[:, 0], at[:, 1])), (len(rows), len(columns)))
    totals = np.asarray(counts.sum(axis=0)).ravel()
    rarity = np.log1p(counts.sum() / len(rows) / np.maximum(totals, 1e-9))
    words = []
    for row in range(len(rows)):
        said = counts[row]
        weights = said.data / said.data.sum() * rarity[said.indices]
        best = np.lexsort((said.indices, -weights))[:WORDS]
        words.append([names[column] for column in said.indices[best]])
    return words


@dataclass(frozen=True)
class Coherence:
    """Means over topics; NPMI over a topic's pairs of words.

    Attributes:
        npmi: normalised pointwise mutual information, co-occurrence counted in paragraphs (Bouma 2009; Lau et
            al. 2014); -1 for a pair that never occurs together.
        c_v: of Röder et al. (WSDM 2015): co-occurrence in windows of 110 words, each word's vector of NPMI
            with all the topic's words, and its cosine with the sum of those vectors.
        diversity: share of the topics' words that are different (Dieng et al. 2020).
    """

    npmi: float
    c_v: float
    diversity: float


class Corpus:
    """Texts as sets of words, to ask how often words come together."""

    def __init__(self, texts: Sequence[Sequence[str]]) -> None:
        self._columns = {
            word: at for at, word in enumerate(sorted({word for text in texts for word in text}))
        }
        self._paragraphs = self._incidence(texts)
        self._windows = self._incidence(
            [text[at : at + WINDOW] for text in texts for at in range(max(1, len(text) - WINDOW + 1))]
        )

    def coherence(self, topics: Sequence[Sequence[str]]) -> Coherence:
        """Return the coherence of topics, each by its strongest words."""
        told = [topic for topic in topics if len(topic) > 1]
        words = [word for topic in topics for word in topic]
        if not told:
            return Coherence(0.0, 0.0, 0.0)
        npmi = [float(np.mean(_pairs(self._npmi(topic, self._paragraphs)))) for topic in told]
        c_v = [self._c_v(topic) for topic in told]
        return Coherence(float(np.mean(npmi)), float(np.mean(c_v)), len(set(words)) / len(words))

    def _incidence(self, texts: Sequence[Sequence[str]]) -> sp.csc_matrix:
        rows, columns = [], []
        for row, text in enumerate(texts):
            for word in set(text):
                rows.append(row)
                columns.append(self._columns[word])
        shape = (len(texts), len(self._columns))
        return sp.csc_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape)

    def _npmi(self, words: Sequence[str], incidence: sp.csc_matrix) -> NDArray[np.float64]:
        """Return the NPMI of each pair of these words, [n, n]; 1 for a word with itself."""
        said = incidence[:, [self._columns[word] for word in words]]
        together = np.asarray((said.T @ said).todense(), np.float64) / said.shape[0]
        alone = np.diag(together)
        with np.errstate(divide="ignore", invalid="ignore"):
            npmi = np.log(together / np.outer(alone, alone)) / -np.log(together)
        npmi = np.where(together > 0, npmi, -1.0)
        np.fill_diagonal(npmi, 1.0)
        return np.nan_to_num(npmi, nan=1.0)

    def _c_v(self, words: Sequence[str]) -> float:
        vectors = self._npmi(words, self._windows)
        total = vectors.sum(axis=0)
        lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(total)
        return float(np.mean(vectors @ total / np.maximum(lengths, 1e-12)))


def _pairs(square: NDArray[np.float64]) -> list[float]:
    return [float(square[one, other]) for one, other in combinations(range(len(square)), 2)]


def calibration_error(probabilities: Sequence[float], right: Sequence[bool], bins: int = 10) -> float:
    """Expected calibration error (Naeini et al. 2015): mean gap of probability and share right, ten bins."""
    p, hits = np.asarray(probabilities, np.float64), np.asarray(right, np.float64)
    at = np.minimum((p * bins).astype(int), bins - 1)
    gaps = [
        abs(p[at == each].mean() - hits[at == each].mean()) * (at == each).sum() for each in np.unique(at)
    ]
    return float(np.sum(gaps) / len(p)) if len(p) else 0.0


def majority(labels: Sequence[str], given: Given) -> list[bool]:
    """Return whether each record's label is the majority label of its topic; False without a topic."""
    counts: dict[int, dict[str, int]] = {}
    for label, topic in zip(labels, given, strict=True):
        if topic is not None:
            of = counts.setdefault(topic, {})
            of[label] = of.get(label, 0) + 1
    most = {topic: max(sorted(of), key=lambda label: of[label]) for topic, of in counts.items()}
    return [topic is not None and most[topic] == label for label, topic in zip(labels, given, strict=True)]


def words_of(texts: Sequence[str]) -> list[list[str]]:
    """Each text's content words, in order."""
    return [content_words(text) for text in texts]
