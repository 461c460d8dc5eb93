"""Centring of embeddings: subtracts the mean of all paragraphs before comparisons."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float64]


def unit(vectors: Vectors) -> Vectors:
    """Return the same directions at length 1; a zero vector stays zero."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1.0))


_GRID = 2.0**25
"""Grid on which products of two coordinates, and their sums over unit vectors, are integers below 2**53."""


def compare(left: Vectors, right: Vectors) -> Vectors:
    """Return the cosine of each of [n, d] with each of [k, d] unit vectors: float64 [n, k].

    The last digits of a plain `left @ right.T` depend on the number of BLAS threads and the processor, and
    could change ids. So coordinates are first rounded to multiples of 2**-25. Whole numbers below 2**53 add
    up exactly in any order, so every BLAS gives the same cosine, some 1e-7 from the unrounded one.
    """
    return np.asarray((np.rint(left * _GRID) @ np.rint(right * _GRID).T) / (_GRID * _GRID))


class Background:
    """The mean of all paragraphs learned so far, initialised with the common part of the seeds.

    Paragraphs of one community all point roughly the same way: on demo talks two paragraphs of different
    talks had a median cosine of .30. Without that common part, cosines of unrelated paragraphs are around 0
    whatever the corpus, so that one set of thresholds suits many. Removing the mean is the first step of
    "All-but-the-Top" (Mu and Viswanath, ICLR 2018); its second step, removing principal components as well,
    also removed the topics.

    Args:
        total: float64 [d], sum of the paragraphs' unit vectors, including the prior's.
        weight: number of paragraphs, including the prior's.
    """

    def __init__(self, total: Vectors, weight: float) -> None:
        self.total = total
        self.weight = weight

    @classmethod
    def begin(cls, seeds: Vectors, prior: float) -> "Background":
        """Return the background of the seeds' unit vectors, float64 [k, d]: their mean, shrunk by 1/k.

        A k-th of the mean is each seed's own, and a single seed has no common part with others.
        """
        k = max(len(seeds), 1)
        return cls(prior * (1.0 - 1.0 / k) * seeds.sum(axis=0) / k, prior)

    def absorb(self, vectors: Vectors) -> None:
        """Add the unit vectors of paragraphs, float64 [n, d]."""
        self.total = self.total + vectors.sum(axis=0)
        self.weight += len(vectors)

    def mean(self) -> Vectors:
        """Return the mean of all paragraphs: float64 [d]."""
        return self.total / self.weight

    def centre(self, vectors: Vectors) -> Vectors:
        """Return vectors [..., d] minus the background, at unit length."""
        return unit(vectors - self.mean())

    def to_arrays(self) -> dict[str, NDArray[np.float64]]:
        """Return the sum and the weight."""
        return {"background": self.total, "background_weight": np.array(self.weight)}

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> "Background":
        """Return the background that `to_arrays` stored."""
        return cls(arrays["background"].copy(), float(arrays["background_weight"]))
