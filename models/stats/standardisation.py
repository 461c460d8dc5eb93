"""Direct standardisation: shares as they were if the mix of strata were the same at all times.

The share of a period is the weighted mean of its shares within strata, with weights that do not change: each
stratum's part of all periods together (Rothman, Greenland and Lash, Modern Epidemiology, 3rd ed., ch. 15).
Strata that come or go are left out, as a shop that opened this year is left out of like-for-like sales: with
them, the share would move when they do. Where a period lacks another stratum, the weights of the rest are
scaled up. `covered` says how much of all weights is left.

With one stratum this is the plain share. Over one month it is the plain share too, whatever the strata.

Intervals take the talk as the unit of sampling, also for shares of paragraphs and minutes: what one talk says
is not independent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.stats.trend import Z_95

Floats = NDArray[np.float64]
TINY = 1e-9
ENDS = 6
"""Months at the beginning and at the end, in one of which a stratum must have talks to be compared."""


@dataclass(frozen=True)
class Strata:
    """Sums over all talks of each period and stratum.

    Attributes:
        size: of the talks (1 each, or paragraphs, or minutes): float64 [periods, strata].
        size_squared: of its squares.
        compared: which strata are not left out: bool [strata].
    """

    size: Floats
    size_squared: Floats
    compared: NDArray[np.bool_]

    @property
    def weights(self) -> Floats:
        """Return each stratum's part of all periods, float64 [strata]; those left out have one too."""
        total = self.size.sum(axis=0)
        weights: Floats = total / (total.sum() or 1.0)
        return weights


def throughout(talks: Floats) -> NDArray[np.bool_]:
    """Return which strata neither come nor go: with talks in the first and in the last months.

    These are `ENDS` months each, or a quarter of all, if that is less.

    Args:
        talks: by month, months without talks included, and stratum: [months, strata].

    >>> throughout(np.array([[4, 0, 1]] * 12 + [[4, 30, 0]] * 12)).tolist()
    [True, False, False]
    """
    ends = max(1, min(ENDS, len(talks) // 4))
    first, last = (talks[part].sum(axis=0) > 0 for part in (slice(ends), slice(-ends, None)))
    found: NDArray[np.bool_] = np.logical_and(first, last)
    return found


@dataclass(frozen=True)
class StandardisedShares:
    """Shares by period, each float64 [periods]; NaN for a period without talks of a compared stratum.

    Attributes:
        share: in [0, 1].
        low, high: ends of the 95 % interval.
        covered: the weights of the strata that are compared in the period; 1: all.
    """

    share: Floats
    low: Floats
    high: Floats
    covered: Floats


def share_of_talks(strata: Strata, counted: Floats) -> StandardisedShares:
    """Return the standardised shares of talks; `counted`: talks with the topic, float64 [periods, strata].

    The interval is Wilson's, for Kish's effective number of talks (Survey Sampling, 1965, 11.7; of intervals
    of this form, Franco, Little, Louis and Slud, J. Survey Statistics and Methodology 7, 2019). It makes no
    use of shares that differ between strata: a period has too few talks of a stratum to tell their variance.
    So it is somewhat too wide where they differ much.

    >>> one = Strata(size=np.array([[178.0]]), size_squared=np.array([[178.0]]), compared=np.array([True]))
    >>> found = share_of_talks(one, np.array([[93.0]]))
    >>> [round(float(each[0]), 3) for each in (found.share, found.low, found.high)]
    [0.522, 0.449, 0.595]
    """
    scale, covered, effective = _weighted(strata)
    share = np.where(covered > 0, np.clip((scale * counted).sum(axis=1), 0.0, 1.0), np.nan)
    return StandardisedShares(share, *wilson_bounds(share, effective), covered)


def share_of_size(
    strata: Strata, counted: Floats, counted_squared: Floats, product: Floats
) -> StandardisedShares:
    """Return the standardised shares of paragraphs or minutes: ratios of sums over talks, which vary in size.

    Its variance is the linearised one of a ratio estimator (Cochran, Sampling Techniques, 1977, ch. 6),
    with weights by stratum. The interval is Wilson's, for the number of talks that would give this
    variance if each were about nothing but the topic, or not at all (Korn and Graubard, Survey Methodology
    24, 1998). That number is reduced as the t quantile is wider than the normal one. Its degrees of freedom
    come from the talks that have something of the topic, if they are fewer than the others, as these few make
    the variance. Where that leaves too little to go by, the interval is that of talks which are about nothing
    else or not at all.

    Args:
        strata: all talks.
        counted: sums over talks of how much they are about the topic, float64 [periods, strata].
        counted_squared, product: sums of its square, and of its product with the size, in the same shape.
    """
    scale, covered, kish = _weighted(strata)
    share = np.where(covered > 0, np.clip((scale * counted).sum(axis=1), 0.0, 1.0), np.nan)
    ratio = share[:, np.newaxis]
    rest = strata.size - counted, strata.size_squared - 2 * product + counted_squared
    residuals = counted_squared - 2 * ratio * product + ratio**2 * strata.size_squared
    spread = (scale**2 * np.maximum(residuals, 0.0)).sum(axis=1)
    told = np.minimum(_kish(scale, counted, counted_squared), _kish(scale, *rest))
    freedom = np.minimum(kish, told) - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        linearised = share * (1 - share) / (spread * kish / (kish - 1))
        careful = linearised * (Z_95 / _t_95(freedom)) ** 2
        effective = np.fmax(np.fmin(linearised, kish), careful)
        effective = np.where((freedom > TINY) & (spread > TINY), effective, kish)
    return StandardisedShares(share, *wilson_bounds(share, effective), covered)


def wilson_bounds(share: Floats, effective: Floats) -> tuple[Floats, Floats]:
    """Return the ends of Wilson's 95 % interval, for a number of talks that need not be whole; NaN without.

    >>> low, high = wilson_bounds(np.array([0.5, 0.0]), np.array([2.5, 10.0]))
    >>> low.round(3).tolist(), high.round(3).tolist()
    ([0.111, 0.0], [0.889, 0.278])
    """
    z2 = Z_95**2
    with np.errstate(divide="ignore", invalid="ignore"):
        middle = (share + z2 / (2 * effective)) / (1 + z2 / effective)
        spread = share * (1 - share) / effective + z2 / (4 * effective**2)
        half = Z_95 / (1 + z2 / effective) * np.sqrt(np.maximum(spread, 0.0))
    low: Floats = np.where(share <= 0, 0.0, np.clip(middle - half, 0.0, share))
    high: Floats = np.where(share >= 1, 1.0, np.clip(middle + half, share, 1.0))
    return low, high


def _weighted(strata: Strata) -> tuple[Floats, Floats, Floats]:
    """Return what a unit of size counts [periods, strata], the covered weight, and Kish's number of talks."""
    present = (strata.size > 0) & strata.compared
    weights = np.where(present, strata.weights, 0.0)
    covered = weights.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        scale: Floats = np.where(present, weights / covered[:, np.newaxis] / strata.size, 0.0)
    return scale, covered, _kish(scale, strata.size, strata.size_squared)


def _kish(scale: Floats, total: Floats, squares: Floats) -> Floats:
    """Return the number of talks of equal size that would vary as little as these."""
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Floats = (scale * total).sum(axis=1) ** 2 / (scale**2 * squares).sum(axis=1)
    return found


def _t_95(freedom: Floats) -> Floats:
    from scipy.special import stdtrit  # importing it takes a while, for a page that asks for it

    found: Floats = stdtrit(np.fmax(freedom, TINY), 0.975)
    return found
