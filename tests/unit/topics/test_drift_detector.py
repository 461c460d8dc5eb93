"""The parts of drift detection: river's detectors, restored exactly, and tests against chance."""

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.topics.drift.detector import Detector, best_cut
from models.topics.drift.lexicon import SLACK, Lexicon
from models.topics.drift.shift import ShiftDetector, SplitSums
from models.topics.drift.watch import DriftSettings
from models.topics.drift.wording import log_odds_change, most_said

ADWIN = ("width", "total", "variance", "estimation", "n_detections", "drift_detected")


def adwin() -> Any:
    from river.drift import ADWIN

    return ADWIN(delta=0.05, clock=1)


STREAMS = st.lists(
    st.tuples(st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]), st.integers(1, 60), st.integers(0, 9)),
    min_size=1,
    max_size=5,
)


@settings(deadline=None)
@given(stream=STREAMS, cut=st.integers(0, 300), limit=st.sampled_from([40, 4096]))
def test_a_restored_detector_is_in_the_same_state(
    stream: list[tuple[float, int, int]], cut: int, limit: int
) -> None:
    chance = random.Random(0)
    values = [float(chance.random() < share) for share, count, _ in stream for _ in range(count)]
    one = Detector(adwin, limit)
    for value in values[:cut]:
        if one.tell(value):
            one.restart()
    other = Detector(adwin, limit, one.observed)
    for value in values[cut:]:
        seen = one.tell(value)
        assert other.tell(value) == seen
        if seen:
            one.restart()
            other.restart()
        assert one.observed == other.observed
        assert len(one.observed) <= limit
    for measure in ADWIN:
        assert getattr(one._river, measure) == getattr(other._river, measure)


def test_a_change_is_where_the_two_means_leave_least_variance() -> None:
    assert best_cut([0, 0, 1, 0, 0, 1, 1, 1]) == (5, 0.2, 1.0)


def test_words_are_numbered_in_order_and_keep_it() -> None:
    lexicon = Lexicon()
    assert lexicon.numbers(["bread", "oven", "bread", "yeast"]).tolist() == [0, 1, 0, 2]
    assert lexicon.compact(np.array([2, 0, 2], np.int32)).tolist() == [0, -1, 1]
    assert lexicon.words == ["bread", "yeast"]
    assert lexicon.numbers(["yeast", "dough"]).tolist() == [1, 2]
    assert lexicon.full_at == SLACK + 4


def test_of_words_said_equally_often_the_first_are_kept() -> None:
    assert most_said(["b", "a", "c", "c", "a", "d"], 3) == ["a", "c", "b"]


def test_a_common_new_word_gains_more_than_a_rare_one_that_left() -> None:
    before, after = np.array([1.0, 1.0, 20.0]), np.array([18.0, 0.0, 20.0])
    gained, rare, steady = log_odds_change(before, after, 30, 30, prior=4.0)
    assert gained > 3.0
    assert -1.5 < rare < 0.0
    assert steady == pytest.approx(0.0)


def test_chance_stays_below_the_threshold_and_a_shift_does_not() -> None:
    def gap(parts: SplitSums) -> np.ndarray:
        means = parts.after / parts.videos_after[:, None] - parts.before / parts.videos_before[:, None]
        return np.asarray((means**2).sum(axis=1), np.float64)

    chance = np.random.default_rng(1)
    steady = chance.integers(-5, 6, (200, 8)).astype(np.float32)
    moved = np.vstack([steady[:60], steady[60:] + 6])
    memory = DriftSettings().memory

    def shifts(videos: np.ndarray) -> list[tuple[int, int]]:
        detector, start, found = ShiftDetector(DriftSettings(), gap, gap), 0, []
        for end in range(1, len(videos) + 1):
            start = max(start, end - memory)
            shift = detector.update(videos[start:end])
            if shift:
                start += shift.cut
                found.append((start, end))
        return found

    assert shifts(steady) == []
    ((cut, seen),) = shifts(moved)
    assert abs(cut - 60) <= 2
    assert seen <= 76
