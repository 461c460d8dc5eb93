"""Precision, recall and corrected shares from a coded sample, and how often intervals hold the truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from models.errors import BadInput
from models.stats.trend import Interval, wilson
from models.stats.validation import validity

PARAGRAPHS = 20_000
RANDOM, COUNTED, NEAR = 120, 10, 5
"""Size of a sample, as `groundswell validate draw` draws it."""
REPETITIONS = 60
COUNTS = (0.005, 0.02, 0.06)
"""Shares of the paragraphs that are about something."""
QUALITIES = ((0.9, 0.9), (0.65, 0.6), (0.3, 0.3))
"""Precision and recall of a count."""


@dataclass
class Population:
    """Paragraphs of which some are about a subject, some are counted, and some are near."""

    about: np.ndarray
    counted: np.ndarray
    near: np.ndarray

    @classmethod
    def of(cls, share: float, precision: float, recall: float) -> Population:
        """Return one whose missed paragraphs are near in three of five cases."""
        about, counted, near = (np.zeros(PARAGRAPHS, np.bool_) for _ in range(3))
        subject = round(PARAGRAPHS * share)
        found = round(subject * recall)
        total = round(found / precision)
        about[:subject] = True
        counted[:found] = counted[subject : subject + total - found] = True
        missed = round((subject - found) * 0.6)
        near[found : found + missed] = True
        near[subject + total : subject + total + 6 * subject - missed] = True
        return cls(about, counted, near)

    @property
    def precision(self) -> float:
        return float(self.about[self.counted].mean())

    @property
    def recall(self) -> float:
        return float(self.counted[self.about].mean())

    def sample(self, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows of a sample, and their weights."""
        strata = ((np.ones(PARAGRAPHS, np.bool_), RANDOM), (self.counted, COUNTED), (self.near, NEAR))
        drawn, missed = [], np.ones(PARAGRAPHS)
        for stratum, most in strata:
            size = min(most, int(stratum.sum()))
            drawn.append(random.choice(np.flatnonzero(stratum), size, replace=False))
            missed *= np.where(stratum, 1 - size / stratum.sum(), 1.0)
        rows = np.unique(np.concatenate(drawn))
        return rows, 1 / (1 - missed[rows])


def test_a_whole_population_is_known_exactly() -> None:
    population = Population.of(0.02, 0.65, 0.6)
    of = validity(
        population.counted,
        population.about.astype(float),
        np.ones(PARAGRAPHS),
        int(population.counted.sum()),
        PARAGRAPHS,
    )
    assert of.precision is not None
    assert of.recall is not None
    assert of.precision.value == pytest.approx(population.precision)
    assert of.recall.value == pytest.approx(population.recall)
    share = float(population.counted.mean())
    corrected = of.corrected(share, Interval(share, share))
    assert corrected is not None
    assert corrected.value == pytest.approx(0.02)


def test_a_sample_is_right_in_the_mean() -> None:
    """What was drawn more often than chance weighs less: otherwise recall would be far too high."""
    random, population = np.random.default_rng(3), Population.of(0.06, 0.65, 0.6)
    recalls, unweighted = [], []
    for _ in range(150):
        rows, weights = population.sample(random)
        counted, about = population.counted[rows], population.about[rows]
        of = validity(counted, about.astype(float), weights, int(population.counted.sum()), PARAGRAPHS)
        assert of.recall is not None
        recalls.append(of.recall.value)
        unweighted.append(float(counted[about].mean()))
    assert np.mean(recalls) == pytest.approx(population.recall, abs=0.05)
    assert np.mean(unweighted) > population.recall + 0.1


def test_intervals_hold_the_truth_as_often_as_promised() -> None:
    """Simulated for rare and frequent subjects and for good and bad counts, with the default sample."""
    random = np.random.default_rng(20261130)
    held: dict[str, list[list[bool]]] = {"precision": [], "recall": [], "share": [], "month": []}
    for share in COUNTS:
        for precision, recall in QUALITIES:
            population = Population.of(share, precision, recall)
            total = int(population.counted.sum())
            found: dict[str, list[bool]] = {name: [] for name in held}
            for _ in range(REPETITIONS):
                rows, weights = population.sample(random)
                of = validity(
                    population.counted[rows],
                    population.about[rows].astype(float),
                    weights,
                    total,
                    PARAGRAPHS,
                )
                assert of.precision is not None
                found["precision"].append(of.precision.low <= population.precision <= of.precision.high)
                if of.recall is not None:
                    found["recall"].append(of.recall.low <= population.recall <= of.recall.high)
                counted = total / PARAGRAPHS
                for name, rate, interval, true in (
                    ("share", counted, Interval(counted, counted), share),
                    ("month", *_month(random, 2 * share, population), 2 * share),
                ):
                    corrected = of.corrected(rate, interval)
                    found[name].append(corrected is None or corrected.low <= true <= corrected.high)
            for name, each in found.items():
                held[name].append(each)
    for name, places in held.items():
        coverage = [float(np.mean(each)) for each in places]
        assert np.mean(coverage) >= 0.94, name
        assert min(coverage) >= 0.83, name  # of 60 repetitions: 95 % less four standard errors


def _month(random: np.random.Generator, share: float, like: Population) -> tuple[float, Interval]:
    """Return the counted share of a thousand paragraphs, with precision and recall as in a population."""
    counted = int(random.binomial(1000, share * like.recall / like.precision))
    return counted / 1000, wilson(counted, 1000)


def test_a_default_sample_is_as_precise_as_documented() -> None:
    random = np.random.default_rng(20261201)
    recalls = []
    for share in COUNTS:
        for precision, recall in QUALITIES:
            population = Population.of(share, precision, recall)
            widths: dict[str, list[float]] = {"precision": [], "recall": []}
            for _ in range(REPETITIONS):
                rows, weights = population.sample(random)
                about = population.about[rows].astype(float)
                of = validity(
                    population.counted[rows], about, weights, int(population.counted.sum()), PARAGRAPHS
                )
                for name, rate in (("precision", of.precision), ("recall", of.recall)):
                    if rate is not None:
                        widths[name].append((rate.high - rate.low) / 2)
            assert 0.1 < np.mean(widths["precision"]) < 0.3, (share, precision)
            recalls.append(float(np.mean(widths["recall"])))
    rare, frequent = recalls[: len(QUALITIES)], recalls[-len(QUALITIES) :]
    assert min(rare) > 0.35, "recall of a rare subject is hardly known"
    assert max(frequent) < 0.3


def test_a_sample_that_cannot_say_says_nothing() -> None:
    none = np.zeros(0)
    empty = validity(none.astype(bool), none, none, 10, 100)
    assert empty.precision is empty.recall is empty.corrected(0.1, Interval(0, 1)) is None
    only_counted = validity(np.ones(3, np.bool_), np.ones(3), np.ones(3), 10, 100)
    assert only_counted.precision is not None
    assert only_counted.recall is None, "nobody has looked at what is not counted"
    nothing = validity(np.zeros(3, np.bool_), np.ones(3), np.ones(3), 0, 100)
    assert nothing.corrected(0.0, Interval(0, 1)) is None, "what is not counted cannot be scaled"


def test_an_interval_holds_its_estimate() -> None:
    for about in (0.0, 1.0):
        of = validity(np.array([True] * 5 + [False] * 5), np.full(10, about), np.ones(10), 5, 10)
        assert of.precision is not None
        assert of.precision.low <= of.precision.value <= of.precision.high
        assert of.precision.low >= 0
        assert of.precision.high <= 1


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(BadInput, match="different lengths"):
        validity(np.ones(2, np.bool_), np.ones(3), np.ones(2), 1, 2)
    with pytest.raises(BadInput, match="not positive"):
        validity(np.ones(1, np.bool_), np.ones(1), np.zeros(1), 1, 2)
