"""Selects the paragraphs of a video that the topic model learns."""

from dataclasses import dataclass

from models.topics.online.centring import Vectors


@dataclass(frozen=True)
class Learnable:
    """The paragraphs of a batch that are learned: those with words that are not boilerplate.

    Attributes:
        rows: where they are in the batch.
        boilerplate: where those are that repeat what their source always says.
        texts: of `rows`, without what is repeated.
        vectors: float64 [n, d], unit vectors of `rows`.
    """

    rows: tuple[int, ...]
    boilerplate: frozenset[int]
    texts: tuple[str, ...]
    vectors: Vectors
