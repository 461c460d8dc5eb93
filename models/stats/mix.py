"""Changes of the mix of strata (sources, or lengths) that talks come from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]
WINDOW = 6
"""Months before and after a change that are compared, as for trends of topics."""
TALKS = 20
"""Fewest talks on each side: of fewer, a mix says little."""
SIZE = 0.25
"""Smallest distance that is a change: one talk in four is of another kind. No share can move by more than the
distance because of the mix, and moves by it only if one kind always has the topic and the other never."""
LEVEL = 0.001
"""Largest probability of a change by chance, for some hundred months that are looked at."""
DRAWS = 999


@dataclass(frozen=True)
class MixChange:
    """A month from which on the mix is another one.

    Attributes:
        at: the row of the first month of the new mix.
        before, after: talks by stratum in the months before and from then on, int64 [strata].
        distance: total variation distance of the two mixes, less what chance gives two samples of one mix.
        p: how often chance alone gives such a distance.
    """

    at: int
    before: Counts
    after: Counts
    distance: float
    p: float


def mix_changes(talks: Counts, random: np.random.Generator) -> list[MixChange]:
    """Return the months at which the mix of strata changed, in order.

    At each month, the mix of `WINDOW` months before is compared with that of as many from then on. A change
    has a total variation distance of `SIZE` beyond chance, and a p of `LEVEL` at most in a permutation test,
    which deals the talks of both sides out anew (Good, Permutation Tests, 2nd ed. 2000, ch. 3). Around a
    change many months qualify: it is at the one with the largest likelihood ratio (G), where a step is most
    likely (Hinkley, Biometrika 57, 1970). Two changes are `WINDOW` months apart at least.

    Args:
        talks: by month and stratum, int64 [months, strata], months without talks included.
        random: source of the permutations.

    >>> talks = np.array([[5, 0]] * 12 + [[5, 30]] * 12)
    >>> [(change.at, change.after.tolist()) for change in mix_changes(talks, np.random.default_rng(0))]
    [(12, [30, 180])]
    """
    months = len(talks)
    totals = np.vstack([np.zeros((1, talks.shape[1]), np.int64), np.cumsum(talks, axis=0)])
    at = np.arange(1, months)
    before = totals[at] - totals[np.maximum(at - WINDOW, 0)]
    after = totals[np.minimum(at + WINDOW, months)] - totals[at]
    likely = _g(before, after)
    enough = np.minimum(before.sum(axis=1), after.sum(axis=1)) >= TALKS
    enough &= _distance(before, after) - _expected(before, after) >= SIZE
    found: list[MixChange] = []
    # Of equal months, the last: those before it have no talks.
    for place in sorted(
        np.flatnonzero(enough).tolist(), key=lambda place: (round(-float(likely[place]), 6), -place)
    ):
        if any(abs(int(at[place]) - change.at) < WINDOW for change in found):
            continue
        change = _tested(int(at[place]), before[place], after[place], random)
        if change.distance >= SIZE and change.p <= LEVEL:
            found.append(change)
    return sorted(found, key=lambda change: change.at)


def _tested(at: int, before: Counts, after: Counts, random: np.random.Generator) -> MixChange:
    whole = before + after
    dealt = random.multivariate_hypergeometric(whole, int(before.sum()), size=DRAWS)
    by_chance = _distance(dealt, whole - dealt)
    distance = float(_distance(before[np.newaxis], after[np.newaxis])[0])
    p = (1 + int(np.sum(by_chance >= distance - 1e-12))) / (1 + DRAWS)
    return MixChange(at, before, after, distance - float(by_chance.mean()), p)


def _distance(before: Counts, after: Counts) -> Floats:
    """Return the total variation distances of mixes, each int64 [n, strata]: from 0 (the same) to 1."""
    found: Floats = 0.5 * np.abs(_mix(before) - _mix(after)).sum(axis=1)
    return found


def _expected(before: Counts, after: Counts) -> Floats:
    """Return about which distance two samples of one mix have: means of the moduli of normal differences."""
    mix = _mix(before + after)
    talks = 1 / np.maximum(before.sum(axis=1), 1) + 1 / np.maximum(after.sum(axis=1), 1)
    found: Floats = 0.5 * np.sqrt(2 / np.pi * mix * (1 - mix) * talks[:, np.newaxis]).sum(axis=1)
    return found


def _g(before: Counts, after: Counts) -> Floats:
    """Return twice the logarithm of the likelihood ratio of two mixes against one."""
    from scipy.special import xlogy  # importing it takes a while, for views that ask for it

    whole = before + after
    found: Floats = 2 * sum(
        (xlogy(part, _mix(part)) - xlogy(part, _mix(whole))).sum(axis=1) for part in (before, after)
    )
    return found


def _mix(talks: Counts) -> Floats:
    found: Floats = talks / np.maximum(talks.sum(axis=1, keepdims=True), 1)
    return found
