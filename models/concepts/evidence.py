"""Evidence that a paragraph is about a concept: its embedding, its words, the words around it, the title."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.codebook.codebook import Codebook
from models.concepts.terms import Counts, TermIndex
from models.errors import BadInput

Features = NDArray[np.float64]

NAMES = (
    "definition", "definition rank", "definition gap", "definition above mean", "example",
    "count", "distinct", "distinct rank", "count near", "distinct near",
    "in title", "in talk", "in talk rank",
    "subject", "subject near", "subject in talk", "subject in title", "length",
    "distinct x subject", "definition x subject", "distinct x definition",
)  # fmt: skip
"""The features of a paragraph and a concept, in their order.

definition: cosine of the paragraph with the concept's definition; its rank among the concepts (log), its
distance from the highest and from the mean. example: highest cosine with its description and its examples.
count, distinct: occurrences (log) of its terms, and number of different ones; near: in the paragraphs before
and after. in talk: share of its terms among the talk's words (log). subject: the same for the terms of the
codebook as a whole. length: number of words (log). x: products.
"""
_LEAST = 1e-4
"""Share of terms, added before a logarithm is taken."""


@dataclass(frozen=True, eq=False)
class Prototypes:
    """Embeddings of what a codebook says about its topics.

    Attributes:
        definitions: float32 [k, d] of unit length, each topic's definition.
        examples: float32 [m, d] of unit length, descriptions and examples of all topics.
        of_topic: int64 [m], the topic of each example, from 0.
    """

    definitions: NDArray[np.float32]
    examples: NDArray[np.float32]
    of_topic: NDArray[np.int64]

    @classmethod
    def of(cls, codebook: Codebook, embeddings: NDArray[np.float32]) -> Prototypes:
        """Return the prototypes from the embeddings of `texts`, float32 [n, d].

        Raises:
            BadInput: these are not as many vectors as there are texts.
        """
        owners = np.repeat(
            np.arange(len(codebook.topics)), [1 + len(topic.examples) for topic in codebook.topics]
        ).astype(np.int64)
        k = len(codebook.topics)
        if len(embeddings) != k + len(owners):
            raise BadInput(
                f"codebook {codebook.name} has {k + len(owners)} texts, but {len(embeddings)} embeddings",
                "embed each of its texts once",
            )
        return cls(embeddings[:k], embeddings[k:], owners)

    @property
    def seeds(self) -> NDArray[np.float32]:
        """The embeddings of names and descriptions, float32 [k, d]."""
        _, first = np.unique(self.of_topic, return_index=True)
        return self.examples[first]

    @staticmethod
    def texts(codebook: Codebook) -> list[str]:
        """Return the texts to embed: definitions first, then descriptions and examples by topic."""
        said = [text for topic in codebook.topics for text in (topic.seed, *topic.examples)]
        return [*(topic.meaning for topic in codebook.topics), *said]


@dataclass(frozen=True, eq=False)
class Talk:
    """A talk to judge.

    Attributes:
        texts: all its paragraphs, in order.
    """

    title: str
    texts: tuple[str, ...]


class ConceptEvidence:
    """Weighs paragraphs against the topics of a codebook.

    Attributes:
        terms: the terms of the topics, and last those of the codebook as a whole.
    """

    def __init__(self, codebook: Codebook, prototypes: Prototypes) -> None:
        self._prototypes = prototypes
        own = [topic.terms for topic in codebook.topics]
        whole = codebook.terms or sorted({term for terms in own for term in terms})
        self.terms = TermIndex([*own, whole])

    def of(self, talk: Talk, rows: Sequence[int], vectors: NDArray[np.float32]) -> tuple[Features, Counts]:
        """Return the features and term counts of some paragraphs of a talk.

        Args:
            rows: positions of the paragraphs to judge.
            vectors: float32 [n, d] of unit length, their embeddings.

        Returns:
            float64 [n, k, len(NAMES)], and int64 [n, terms].
        """
        index, at = self.terms, np.asarray(rows, np.int64)
        counts = np.stack([index.count(text) for text in talk.texts])
        lengths = np.array([len(text.split()) for text in talk.texts])
        own, whole = index.of_group[:-1].T.astype(np.float64), index.of_group[-1].astype(np.float64)
        k = own.shape[1]
        padded = np.vstack([counts[:1] * 0, counts, counts[:1] * 0])
        near, here = padded[at] + padded[at + 2], counts[at]
        titled, everywhere, spoken = index.count(talk.title), counts.sum(axis=0), max(int(lengths.sum()), 1)

        definition = vectors.astype(np.float64) @ self._prototypes.definitions.astype(np.float64).T
        distinct, count = (here > 0) @ own, np.log1p(here @ own)
        in_talk = np.log(_LEAST + (everywhere @ own) / spoken)
        subject = np.log1p(here @ whole)
        each = np.ones((len(at), k))
        features = np.stack(
            [
                definition,
                _ranks(definition),
                definition - definition.max(axis=1, keepdims=True, initial=-1.0),
                definition - definition.mean(axis=1, keepdims=True),
                self._nearest_example(vectors, k),
                count,
                distinct,
                _ranks(distinct + _LEAST * count),
                np.log1p(near @ own),
                (near > 0) @ own,
                each * ((titled @ own) > 0),
                each * in_talk,
                each * _ranks(in_talk[np.newaxis]),
                each * subject[:, np.newaxis],
                each * np.log1p(near @ whole)[:, np.newaxis],
                each * np.log(_LEAST + float(everywhere @ whole) / spoken),
                each * float((titled @ whole) > 0),
                each * np.log(np.maximum(lengths[at], 1))[:, np.newaxis],
                distinct * subject[:, np.newaxis],
                definition * subject[:, np.newaxis],
                distinct * definition,
            ],
            axis=2,
        )
        return features, here

    def _nearest_example(self, vectors: NDArray[np.float32], k: int) -> Features:
        cosines = vectors.astype(np.float64) @ self._prototypes.examples.astype(np.float64).T
        return np.stack(
            [cosines[:, self._prototypes.of_topic == topic].max(axis=1, initial=-1.0) for topic in range(k)],
            axis=1,
        )


def _ranks(values: Features) -> Features:
    """Return the logarithm of each value's rank in its row, 0 for the highest; of equal ones, the first."""
    order = np.argsort(np.argsort(-values, axis=1, kind="stable"), axis=1, kind="stable")
    return np.asarray(np.log1p(order))
