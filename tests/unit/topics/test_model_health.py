"""Model health: whether the model still fits the talks as it used to."""

import random
from collections.abc import Iterator
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import BadInput
from models.topics.drift.health import HealthSettings, HealthWatch
from models.topics.results import HealthChange

HEALTH = HealthSettings()
SHORT_MEMORY = HealthSettings(history=60, settle=20, threshold=10.0)
DAY = date(2024, 1, 1)

Talk = tuple[int, int, float]
"""Paragraphs without topic, paragraphs, and their novelty."""


def talks(outliers: float, novelty: float, count: int, seed: int, paragraphs: int = 20) -> list[Talk]:
    chance = random.Random(seed)
    return [
        (
            sum(chance.random() < outliers for _ in range(paragraphs)),
            paragraphs,
            chance.gauss(novelty, 0.05),
        )
        for _ in range(count)
    ]


def tell(watch: HealthWatch, stream: list[Talk]) -> Iterator[HealthChange]:
    for position, (unassigned, paragraphs, novelty) in enumerate(stream):
        yield from watch.update(
            unassigned,
            paragraphs,
            np.full(paragraphs, novelty),
            DAY + timedelta(position),
            f"talk-{position}",
        )


def test_more_outliers_are_seen_with_both_rates_and_the_day() -> None:
    stream = talks(0.1, 0.4, 200, 1) + talks(0.25, 0.4, 100, 2)
    (change,) = tell(HealthWatch(HEALTH), stream)
    assert change.what == "outliers"
    assert change.before == pytest.approx(0.1, abs=0.03)
    assert change.after == pytest.approx(0.25, abs=0.04)
    assert abs((change.since - DAY).days - 200) <= 5


def test_a_model_that_fits_better_is_seen_too() -> None:
    (change,) = tell(HealthWatch(HEALTH), talks(0.3, 0.5, 150, 3) + talks(0.3, 0.4, 120, 4))
    assert change.what == "novelty"
    assert change.after < change.before


def test_paragraphs_in_or_out_by_chance_are_hardly_ever_a_change() -> None:
    assert len(list(tell(HealthWatch(HEALTH), talks(0.12, 0.4, 10_000, 5, paragraphs=1)))) <= 2


def test_a_talk_of_ten_thousand_paragraphs_counts_once() -> None:
    stream = [*talks(0.1, 0.4, 100, 6), (10_000, 10_000, 1.0), *talks(0.1, 0.4, 100, 7)]
    assert list(tell(HealthWatch(HEALTH), stream)) == []


@pytest.mark.parametrize(
    ("unassigned", "paragraphs", "length"), [(3, 2, 2), (0, 0, 0), (1, 2, 3), (-1, 2, 2)]
)
def test_numbers_that_do_not_fit_together_are_refused(unassigned: int, paragraphs: int, length: int) -> None:
    watch = HealthWatch(HEALTH)
    with pytest.raises(BadInput, match="give each one a novelty"):
        watch.update(unassigned, paragraphs, np.zeros(length), DAY, "talk")
    assert len(watch.to_arrays()["health_days"]) == 0


def test_settings_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(BadInput, match="settle 50 and history 60"):
        HealthSettings(history=60)


PARTS = st.lists(
    st.tuples(st.sampled_from([0.0, 0.2, 0.9]), st.sampled_from([0.2, 0.6]), st.integers(1, 70)),
    min_size=1,
    max_size=4,
)


@settings(deadline=None, max_examples=40)
@given(parts=PARTS, cut=st.integers(0, 200), of=st.sampled_from([HEALTH, SHORT_MEMORY]))
def test_a_restored_watch_goes_on_as_if_nothing_had_happened(
    parts: list[tuple[float, float, int]], cut: int, of: HealthSettings
) -> None:
    stream = [talk for outliers, novelty, count in parts for talk in talks(outliers, novelty, count, 8)]
    watch = HealthWatch(of)
    list(tell(watch, stream[:cut]))
    restored = HealthWatch.from_arrays(of, watch.to_arrays())
    assert list(tell(restored, stream[cut:])) == list(tell(watch, stream[cut:]))
    for name, array in watch.to_arrays().items():
        assert array.tobytes() == restored.to_arrays()[name].tobytes()
        assert len(array) <= of.history
