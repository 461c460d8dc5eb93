"""Simulated coverage of the 95 % intervals of shares and of changes.

Counts are whole numbers, so no interval of a share covers exactly 95 % everywhere; Wilson's does on average.
By exact calculation over n = 20 … 500 and p = .01 … .50 in steps of .01, its mean is 95.1 %, and 0.3 % of the
places are below 93 %. The worst are those where half a video is expected, and two are just too many:
n = 55, p = .01 (89.5 %) and n = 27, p = .02 (89.9 %); of round numbers n = 50, p = .01 (91.1 %),
n = 50, p = .02 (92.2 %) and n = 20, p = .05 (92.5 %). So a topic in one of some hundred videos is the case to
be careful with.

Newcombe's interval of a change, with periods of 20, 50, 178 and 500 videos and shares of .01, .03, .1, .25
and .5 in each, covers 95.8 % on average. The worst are a short period against a very long one:
n = 20, p = .25 against n = 500, p = .01 (93.7 %), and n = 20, p = .01 against n = 500, p = .01 (94.0 %).
"""

from __future__ import annotations

import itertools
from functools import cache

import numpy as np
import pytest

from models.stats.trend import trend, wilson
from tests.golden.study_table import COUNTED, TABLE, TOPICS

SHARES = (0.01, 0.02, 0.03, 0.05, 0.08, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5)
VIDEOS = (20, 30, 50, 80, 120, 178, 300, 500)
PROMISED = 0.94
Period = tuple[int, float]
"""Videos in it, and the true share."""
REPETITIONS = 20_000
STUDIED = [videos / COUNTED for videos, _ in (*TOPICS.values(), *(figures for figures, _ in TABLE.values()))]
"""The shares that people look at: the study's 20 topics and 8 themes."""
LOOKED_AT = {20: 4, 50: 3, 100: 2, 178: 1, 500: 1}
"""Videos in a period, and how often one of that length is looked at: months more often than years."""


@cache
def bounds(of: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the interval's ends for 0, 1, … `of` videos."""
    intervals = [wilson(videos, of) for videos in range(of + 1)]
    return np.array([each.low for each in intervals]), np.array([each.high for each in intervals])


def covered(share: float, of: int, random: np.random.Generator, repetitions: int = REPETITIONS) -> float:
    """Return how often the interval of a share holds it."""
    low, high = bounds(of)
    seen = random.binomial(of, share, repetitions)
    return float(np.mean((low[seen] <= share) & (share <= high[seen])))


@cache
def change(now: int, of: int, before: int, of_before: int) -> tuple[float, float]:
    interval = trend(now, of, before, of_before).change_interval
    return interval.low, interval.high


def change_covered(now: Period, before: Period, random: np.random.Generator, repetitions: int) -> float:
    """Return how often the interval of a change holds it."""
    drawn = (random.binomial(*period, repetitions).tolist() for period in (now, before))
    intervals = np.array([change(seen, now[0], then, before[0]) for seen, then in zip(*drawn, strict=True)])
    moved = now[1] - before[1]
    return float(np.mean((intervals[:, 0] <= moved) & (moved <= intervals[:, 1])))


def test_the_interval_of_a_share_covers_as_promised() -> None:
    random = np.random.default_rng(20241231)
    found = {(of, share): covered(share, of, random) for of, share in itertools.product(VIDEOS, SHARES)}
    assert np.mean(list(found.values())) >= PROMISED
    for share in SHARES:
        assert np.mean([found[of, share] for of in VIDEOS]) >= PROMISED, f"{share:.0%} of the videos"
    for of in VIDEOS:
        assert np.mean([found[of, share] for share in SHARES]) >= PROMISED, f"{of} videos"
    assert min(found, key=lambda place: found[place]) == (50, 0.01)
    assert min(found.values()) == pytest.approx(0.911, abs=0.01)


def test_the_interval_of_a_share_covers_what_people_look_at() -> None:
    """The study's shares, in periods of usual lengths, weighted by how often people look at each."""
    random = np.random.default_rng(20220301)
    coverage = [np.mean([covered(share, of, random) for share in STUDIED]) for of in LOOKED_AT]
    assert min(coverage) >= PROMISED
    assert np.average(coverage, weights=list(LOOKED_AT.values())) >= PROMISED


def test_the_worst_interval_of_a_share_is_short_by_few_points() -> None:
    random = np.random.default_rng(7)
    assert covered(0.01, 55, random) == pytest.approx(0.895, abs=0.01)
    assert covered(0.02, 27, random) == pytest.approx(0.899, abs=0.01)


def test_the_interval_of_a_change_covers_as_promised() -> None:
    random = np.random.default_rng(20240601)
    shares, videos = (0.01, 0.03, 0.1, 0.25, 0.5), (20, 50, 178, 500)
    found = {
        (of, share, of_before, before): change_covered((of, share), (of_before, before), random, 2_000)
        for of, of_before in itertools.combinations_with_replacement(videos, 2)
        for share, before in itertools.product(shares, shares)
    }
    assert np.mean(list(found.values())) >= PROMISED
    unchanged = [value for (_, share, _, before), value in found.items() if share == before]
    assert np.mean(unchanged) >= PROMISED  # it seldom calls chance a trend
    assert min(found.values()) >= 0.92
    worst = change_covered((20, 0.25), (500, 0.01), random, 20_000)
    assert worst == pytest.approx(0.937, abs=0.01)


def test_the_interval_of_a_change_covers_what_people_compare() -> None:
    """A period with an equal one before it: the study's shares, unchanged or a quarter less or more."""
    random = np.random.default_rng(20230915)
    coverage = [
        np.mean([change_covered((of, share), (of, share * moved), random, 1_000) for share in STUDIED])
        for of, moved in itertools.product(LOOKED_AT, (0.75, 1.0, 1.25))
    ]
    assert min(coverage) >= PROMISED
