"""A change of the mix is found in its month, and chance is not taken for one."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from models.stats.mix import LEVEL, SIZE, TALKS, WINDOW, mix_changes


def found(talks: object) -> list[int]:
    return [change.at for change in mix_changes(np.asarray(talks, np.int64), np.random.default_rng(0))]


@pytest.mark.parametrize(("strata", "talks"), [(3, 4), (3, 30), (30, 10), (200, 10)])
def test_a_mix_that_stays_has_no_change(strata: int, talks: int) -> None:
    random = np.random.default_rng(20240703)
    alarms = [
        len(found(random.multinomial(talks, random.dirichlet(np.full(strata, 0.5)), size=60)))
        for _ in range(30)
    ]
    assert sum(alarms) <= 1, "in a hundred and fifty years"


def test_a_daily_channel_that_joins_is_found_in_its_month() -> None:
    random = np.random.default_rng(20240704)
    places: Counter[tuple[int, ...]] = Counter()
    for _ in range(40):
        others = random.multinomial(6, random.dirichlet(np.ones(6)), size=48)
        daily = np.concatenate([np.zeros(24, int), random.poisson(30, 24)])
        places[tuple(found(np.column_stack([others, daily])))] += 1
    assert places[24,] >= 38, places


def test_the_end_of_a_source_is_a_change_too() -> None:
    assert found([[5, 20]] * 12 + [[5, 0]] * 12) == [12]
    assert found([[5, 20]] * 12 + [[5, 0]] * 12 + [[5, 20]] * 12) == [12, 24]


def test_too_few_talks_or_too_small_a_change_are_none() -> None:
    few = TALKS // WINDOW
    assert found([[few, 0]] * 12 + [[0, few]] * 12) == []
    assert found([[few + 1, 0]] * 12 + [[0, few + 1]] * 12) == [12]
    assert found([[500, 500]] * 12 + [[620, 380]] * 12) == [], "significant, but an eighth of the talks"
    assert found([[50, 50]] * 12 + [[80, 20]] * 12) == [12]


def test_gaps_and_short_studies_are_no_obstacle() -> None:
    assert found(np.zeros((0, 0))) == []
    assert found([[9, 9]]) == []
    assert found([[30, 0]] + [[0, 0]] * 3 + [[0, 30]]) == [4], "the month in which the new ones begin"


def test_a_change_says_how_sure_it_is_and_draws_alike() -> None:
    talks = np.array([[5, 0]] * 12 + [[5, 30]] * 12)
    (change,) = mix_changes(talks, np.random.default_rng(0))
    (again,) = mix_changes(talks, np.random.default_rng(0))
    assert (change.before.tolist(), change.after.tolist()) == ([30, 0], [30, 180])
    assert change.p == again.p <= LEVEL
    assert SIZE <= change.distance == again.distance <= 180 / 210
