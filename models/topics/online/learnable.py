"""Learnable paragraphs of a video: those that the topic model learns."""

from dataclasses import dataclass

from models.topics.online.centring import Vectors
from models.topics.online.partial_fit import Worded


@dataclass(frozen=True)
class Learnable:
    """The paragraphs of a batch that are learned: those with content words that are not boilerplate.

    Attributes:
        rows: their positions in the batch.
        boilerplate: positions of the boilerplate paragraphs.
        texts: texts of `rows`, without repeated words.
        worded: `texts` without the names of persons: what describes a topic.
        vectors: float64 [n, d], unit vectors of `rows`.
    """

    rows: tuple[int, ...]
    boilerplate: frozenset[int]
    texts: tuple[str, ...]
    worded: tuple[Worded, ...]
    vectors: Vectors
