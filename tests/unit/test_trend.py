"""The direction of a topic's trend, from counts of videos."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import BadInput
from models.stats.trend import trend, wilson

COUNTS = st.integers(0, 400).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of)))


@pytest.mark.parametrize(
    ("now", "before", "direction"),
    [
        ((30, 100), (10, 100), "rising"),
        ((10, 100), (30, 100), "declining"),
        ((12, 100), (10, 100), "stable"),
        ((3, 10), (1, 10), "stable"),  # three times as many, but of ten videos
        ((12, 100), (0, 100), "new"),
        ((1, 100), (0, 100), "stable"),  # one video makes no topic new
        ((0, 100), (12, 100), "dormant"),
        ((0, 100), (1, 100), "stable"),
        ((0, 100), (0, 100), "dormant"),
        ((0, 0), (5, 10), "stable"),  # no videos at all say nothing
    ],
)
def test_the_direction_is_what_the_counts_show(
    now: tuple[int, int], before: tuple[int, int], direction: str
) -> None:
    assert trend(*now, *before).direction == direction


def test_intervals_are_those_of_newcombes_paper() -> None:
    """Examples a, b and e of its table II, by method 10."""
    for counts, low, high in (
        ((56, 70, 48, 80), 0.0524, 0.3339),
        ((9, 10, 3, 10), 0.1705, 0.8090),
        ((5, 56, 0, 29), -0.0381, 0.1926),
    ):
        interval = trend(*counts).change_interval
        assert interval.low == pytest.approx(low, abs=5e-5)
        assert interval.high == pytest.approx(high, abs=5e-5)


@given(now=COUNTS, before=COUNTS)
def test_swapping_the_periods_turns_the_change_around(now: tuple[int, int], before: tuple[int, int]) -> None:
    there, back = trend(*now, *before), trend(*before, *now)
    opposite = {"rising": "declining", "declining": "rising", "new": "dormant", "stable": "stable"}
    assert math.isclose(there.change, -back.change, abs_tol=1e-12)
    assert math.isclose(there.change_interval.low, -back.change_interval.high, abs_tol=1e-12)
    if there.direction == "declining":
        assert back.direction in ("rising", "new")
    elif there.direction == "rising":
        assert back.direction in ("declining", "dormant")
    elif there.direction in ("new", "stable"):
        assert back.direction == opposite[there.direction]


@given(now=COUNTS, before=COUNTS)
def test_the_change_lies_in_its_interval_and_shares_in_theirs(
    now: tuple[int, int], before: tuple[int, int]
) -> None:
    found = trend(*now, *before)
    for value, interval in (
        (found.change, found.change_interval),
        (found.share, found.interval),
        (found.share_before, found.interval_before),
    ):
        assert interval.low - 1e-9 <= value <= interval.high + 1e-9


def test_more_videos_of_the_same_share_say_it_more_surely() -> None:
    few, many = wilson(5, 20), wilson(50, 200)
    assert few.low < many.low < 0.25 < many.high < few.high


@pytest.mark.parametrize("counts", [(3, 2, 0, 2), (-1, 2, 0, 2), (0, 2, 5, 4)])
def test_counts_that_cannot_be_are_refused(counts: tuple[int, int, int, int]) -> None:
    with pytest.raises(BadInput, match="cannot have a topic"):
        trend(*counts)
