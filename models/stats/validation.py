"""Validity of a count: precision, recall and the corrected share, estimated from a coded sample.

People code a probability sample of paragraphs: they read each and say what it is about. A paragraph in the
sample stands for as many as its weight says, the inverse of its probability of being drawn (Horvitz and
Thompson, JASA 1952). The weights of what is counted, and of what is not, are scaled to the known totals of
both (post-stratification: Holt and Smith, JRSS A 1979).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from models.errors import BadInput
from models.stats.trend import Interval

Numbers = NDArray[np.float64]
GRID = 100
"""Quantiles of each of two distributions by which that of a function of both is computed."""
PRIOR = 1 / 3
"""Both parameters of the prior of a share: the neutral one, whose posterior median is nearest to the observed
share (Kerman, Electronic Journal of Statistics 2011)."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """An estimate with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class _Rate:
    """A weighted share: its value and the size of a simple random sample that says as much (Kish 1965)."""

    value: float
    size: float

    def quantiles(self, levels: Numbers) -> Numbers:
        """Return quantiles of the posterior distribution of the share."""
        from scipy.stats import beta

        hits = self.value * self.size
        return np.asarray(beta.ppf(levels, hits + PRIOR, self.size - hits + PRIOR), np.float64)


@dataclass(frozen=True)
class Validity:
    """What a coded sample says about one count: a topic's paragraphs, or a theme's.

    Attributes:
        counted_total, total: paragraphs that are counted, and all.
        coded, counted: paragraphs of the sample, and those of them that are counted.
        right: those of the counted that are about it, as people say; a half where two people differ.
        about: those of the sample that are about it.
    """

    counted_total: int
    total: int
    coded: int
    counted: int
    right: float
    about: float
    _positive: _Rate | None = field(repr=False)
    _missed: _Rate | None = field(repr=False)

    @property
    def precision(self) -> Estimate | None:
        """Share of the counted paragraphs that are about it; None if none of them is in the sample."""
        if self._positive is None:
            return None
        low, high = self._positive.quantiles(_TAILS)
        return _estimate(self._positive.value, low, high)

    @property
    def recall(self) -> Estimate | None:
        """Share of the paragraphs about it that are counted; None if the sample has none of them."""
        rates = self._rates
        if rates is None or not self.about:
            return None
        recall = _recall(self, *(rate.value for rate in rates))
        low, high = np.quantile(_recall(self, *self._grid), _TAILS)
        return _estimate(float(recall), low, high)

    @cached_property
    def ratio(self) -> Estimate | None:
        """Paragraphs about it for each that is counted; None where the sample cannot say."""
        rates = self._rates
        if rates is None or not self.counted_total:
            return None
        value = _ratio(self, *(rate.value for rate in rates))
        low, high = np.quantile(_ratio(self, *self._grid), _TAILS)
        return Estimate(float(value), float(min(low, value)), float(max(high, value)))

    def corrected(self, share: float, interval: Interval) -> Estimate | None:
        """Return what a counted share of paragraphs would be without the errors of the count.

        The ratio estimator (Cochran, Sampling Techniques, 1977, chapter 6): the counted share times `ratio`,
        which is taken to be the same in every part of the whole.

        Args:
            share: the counted share of a part, in [0, 1].
            interval: its own 95 % interval.

        Returns:
            The estimate in [0, 1], with both uncertainties in its interval; None where the sample cannot say:
            it has no counted or no other paragraphs.
        """
        ratio = self.ratio
        if ratio is None:
            return None
        below = np.hypot(share * (ratio.value - ratio.low), ratio.value * (share - interval.low))
        above = np.hypot(share * (ratio.high - ratio.value), ratio.value * (interval.high - share))
        value = share * ratio.value
        return _estimate(min(1.0, value), value - float(below), value + float(above))

    @property
    def _rates(self) -> tuple[_Rate, _Rate] | None:
        if self._positive is None or self._missed is None:
            return None
        return self._positive, self._missed

    @cached_property
    def _grid(self) -> tuple[Numbers, Numbers]:
        """Every pair of quantiles of both rates, as two columns: all are equally probable."""
        levels = (np.arange(GRID) + 0.5) / GRID
        rates = self._rates
        assert rates is not None
        positive, missed = np.meshgrid(*(rate.quantiles(levels) for rate in rates))
        return positive.ravel(), missed.ravel()


_TAILS = np.array([0.025, 0.975])


def validity(
    counted: NDArray[np.bool_], about: Numbers, weights: Numbers, counted_total: int, total: int
) -> Validity:
    """Return what a coded sample says about a count.

    Args:
        counted: whether each paragraph of the sample is counted, bool [n].
        about: the share of its coders who say that it is about it, float [n] in [0, 1].
        weights: the inverse of its probability of being drawn, float [n], positive.
        counted_total: paragraphs that are counted, in the whole population.
        total: all paragraphs of the population.

    Raises:
        BadInput: the lengths differ, or a weight is not positive.
    """
    if not len(counted) == len(about) == len(weights):
        raise BadInput("a coded sample has columns of different lengths", "give a value for each paragraph")
    if len(weights) and not (np.isfinite(weights).all() and weights.min() > 0):
        raise BadInput("a weight of a coded sample is not positive", "give the inverse of its probability")
    return Validity(
        counted_total=counted_total,
        total=total,
        coded=len(counted),
        counted=int(counted.sum()),
        right=float(about[counted].sum()),
        about=float(about.sum()),
        _positive=_rate(about[counted], weights[counted]),
        _missed=_rate(about[~counted], weights[~counted]),
    )


def _rate(about: Numbers, weights: Numbers) -> _Rate | None:
    if not len(about):
        return None
    sum_of_weights = float(weights.sum())
    return _Rate(
        float((about * weights).sum() / sum_of_weights), sum_of_weights**2 / float((weights**2).sum())
    )


def _recall(of: Validity, positive: float | Numbers, missed: float | Numbers) -> Numbers:
    found = of.counted_total * np.asarray(positive, np.float64)
    lost = (of.total - of.counted_total) * np.asarray(missed, np.float64)
    whole = found + lost
    return np.divide(found, whole, out=np.zeros_like(whole), where=whole > 0)


def _ratio(of: Validity, positive: float | Numbers, missed: float | Numbers) -> Numbers:
    others = (of.total - of.counted_total) * np.asarray(missed, np.float64)
    return np.asarray(positive + others / of.counted_total, np.float64)


def _estimate(value: float, low: float, high: float) -> Estimate:
    return Estimate(value, float(max(0.0, min(low, value))), float(min(1.0, max(high, value))))
