"""Subtracts what all paragraphs have in common before anything is compared."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float64]


def unit(vectors: Vectors) -> Vectors:
    """The same directions at length 1; a zero vector stays zero."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1.0))


_GRID = 2.0**25
"""Products of two coordinates on this grid, and their sums over unit vectors, are integers below 2**53."""


def compare(left: Vectors, right: Vectors) -> Vectors:
    """Cosine of each of [n, d] with each of [k, d] unit vectors: float64 [n, k].

    Not `left @ right.T` alone: its last digits change with the number of BLAS threads and the processor, and
    then ids can. Coordinates are rounded to whole numbers of 2**-25 first. Whole numbers below 2**53 add up
    exactly in any order, so every BLAS gives the same cosine, some 1e-7 from the unrounded one.
    """
    return np.asarray((np.rint(left * _GRID) @ np.rint(right * _GRID).T) / (_GRID * _GRID))


class Background:
    """The mean of all paragraphs learned so far, begun at what the seeds have in common.

    Paragraphs of one community all point roughly the same way: on demo talks two paragraphs of
    different talks had a median cosine of .30. Without that common part, cosines of unrelated
    paragraphs lie around 0 whatever the corpus, and one set of thresholds serves many. Removing the
    mean is the first step of "All-but-the-Top" (Mu and Viswanath, ICLR 2018); removing principal
    components as well, its second step, took the topics away with them.

    Args:
        total: float64 [d], sum of the paragraphs' unit vectors, the prior's included.
        weight: number of paragraphs, the prior's included.
    """

    def __init__(self, total: Vectors, weight: float) -> None:
        self.total = total
        self.weight = weight

    @classmethod
    def begin(cls, seeds: Vectors, prior: float) -> "Background":
        """From the seeds' unit vectors, float64 [k, d], by what they share: their mean, shrunk by 1/k.

        A k-th of the mean is each seed's own, and one seed alone shares nothing with others.
        """
        k = max(len(seeds), 1)
        return cls(prior * (1.0 - 1.0 / k) * seeds.sum(axis=0) / k, prior)

    def absorb(self, vectors: Vectors) -> None:
        """Count these paragraphs' unit vectors, float64 [n, d], in."""
        self.total = self.total + vectors.sum(axis=0)
        self.weight += len(vectors)

    def mean(self) -> Vectors:
        """Where all paragraphs lie on average: float64 [d]."""
        return self.total / self.weight

    def centre(self, vectors: Vectors) -> Vectors:
        """What sets vectors [..., d] apart from the background, at unit length."""
        return unit(vectors - self.mean())

    def to_arrays(self) -> dict[str, NDArray[np.float64]]:
        """The sum and the weight."""
        return {"background": self.total, "background_weight": np.array(self.weight)}

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> "Background":
        """The background that `to_arrays` described."""
        return cls(arrays["background"].copy(), float(arrays["background_weight"]))
