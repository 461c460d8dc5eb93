"""Precision, recall and F1 of labels given to paragraphs, with intervals by bootstrap over talks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1000
"""Bootstrap resamples of talks."""
Labels = NDArray[np.bool_]


@dataclass(frozen=True)
class Score:
    """Micro-averaged precision, recall and F1, each in [0, 1].

    Attributes:
        given, right: labels given, and those that at least one reader gave too.
        wanted, found: labels that every reader gave, and those of them that were given.
        f1_interval: 95 % interval of F1, by bootstrap over talks.
    """

    given: int
    right: int
    wanted: int
    found: int
    precision: float
    recall: float
    f1: float
    f1_interval: tuple[float, float]


@dataclass(frozen=True)
class Readings:
    """Labels that people gave to paragraphs.

    Attributes:
        every: the label is in every reading, bool [n paragraphs, k labels]; recall is measured on these.
        some: the label is in at least one reading, bool [n, k]; precision is measured on these.
        talks: the talk of each paragraph, n of them.
    """

    every: Labels
    some: Labels
    talks: tuple[str, ...]

    def of(self, rows: NDArray[np.bool_]) -> Readings:
        """Return the readings of the paragraphs that the mask [n] selects."""
        talks = tuple(talk for talk, wanted in zip(self.talks, rows, strict=True) if wanted)
        return Readings(self.every[rows], self.some[rows], talks)

    def of_labels(self, groups: Sequence[Sequence[int]]) -> Readings:
        """Return the readings with labels united in groups of columns, such as topics in themes."""
        return Readings(united(self.every, groups), united(self.some, groups), self.talks)


def united(labels: Labels, groups: Sequence[Sequence[int]]) -> Labels:
    """Return bool [n, groups]: whether a paragraph has any label of a group of columns.

    Example:
        >>> united(np.array([[True, False, False], [False, False, True]]), [[0, 1], [2]]).tolist()
        [[True, False], [False, True]]
    """
    return np.stack([labels[:, list(group)].any(axis=1) for group in groups], axis=1)


def score(given: Labels, readings: Readings, seed: int = 0) -> Score:
    """Return how well labels given to paragraphs, bool [n, k], agree with the readings of people."""
    counts = np.stack(
        [
            given.sum(axis=1),
            (given & readings.some).sum(axis=1),
            readings.every.sum(axis=1),
            (given & readings.every).sum(axis=1),
        ],
        axis=1,
    )
    whole = counts.sum(axis=0)
    precision, recall, f1 = _measures(whole[None, :])[0]
    labels, right, wanted, found = (int(count) for count in whole)
    return Score(
        given=labels,
        right=right,
        wanted=wanted,
        found=found,
        precision=float(precision),
        recall=float(recall),
        f1=float(f1),
        f1_interval=_interval(counts, readings.talks, seed),
    )


def _measures(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return precision, recall and F1, float [m, 3], of counts [m, 4]; 0 where nothing can be divided by."""
    given, right, wanted, found = counts.T.astype(np.float64)
    precision = np.divide(right, given, out=np.zeros_like(right), where=given > 0)
    recall = np.divide(found, wanted, out=np.zeros_like(found), where=wanted > 0)
    both = precision + recall
    f1 = np.divide(2 * precision * recall, both, out=np.zeros_like(both), where=both > 0)
    return np.stack([precision, recall, f1], axis=1)


def _interval(counts: NDArray[np.int64], talks: Sequence[str], seed: int) -> tuple[float, float]:
    names, of = np.unique(np.array(talks), return_inverse=True)
    if len(names) == 0:
        return 0.0, 0.0
    by_talk = np.zeros((len(names), counts.shape[1]), np.int64)
    np.add.at(by_talk, of, counts)
    drawn = np.random.default_rng(seed).integers(len(names), size=(RESAMPLES, len(names)))
    low, high = np.quantile(_measures(by_talk[drawn].sum(axis=1))[:, 2], (0.025, 0.975))
    return float(low), float(high)
