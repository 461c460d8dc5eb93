"""A topic's share of videos, watched."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.topics import TopicSettings
from models.topics.drift import DriftWatch, ShareChange, ShareDetector

WATCH = TopicSettings()
SHORT_MEMORY = TopicSettings(drift_history=40)


def videos(share: float, count: int, seed: int) -> list[bool]:
    chance = random.Random(seed)
    return [chance.random() < share for _ in range(count)]


def test_a_topic_that_becomes_common_is_seen_with_both_shares() -> None:
    detector = ShareDetector(WATCH)
    changes = [shares for bit in videos(0.1, 150, 1) + videos(0.6, 80, 2) if (shares := detector.update(bit))]
    before, after = changes[0]
    assert before == pytest.approx(0.1, abs=0.06)
    assert after > 0.45


def test_a_steady_topic_does_not_drift() -> None:
    detector = ShareDetector(WATCH)
    assert not any(detector.update(bit) for bit in videos(0.3, 600, 3))


def test_only_the_topic_that_drifts_is_reported() -> None:
    watch = DriftWatch(WATCH, [(), ()])
    changes: list[ShareChange] = []
    for index in range(120):
        changes += watch.update({1, 2} if index >= 60 else {1})
    assert [change.topic_id for change in changes] == [2]
    assert (changes[0].before, changes[0].after) == (0.0, 1.0)


def test_the_history_stays_bounded() -> None:
    detector = ShareDetector(SHORT_MEMORY)
    for bit in videos(0.3, 500, 4):
        detector.update(bit)
        assert len(detector.history) <= SHORT_MEMORY.drift_history


STREAMS = st.lists(
    st.tuples(st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]), st.integers(1, 60), st.integers(0, 9)),
    min_size=1,
    max_size=5,
).map(lambda parts: [bit for part in parts for bit in videos(*part)])


@settings(deadline=None)
@given(stream=STREAMS, cut=st.integers(0, 300), memory=st.sampled_from([WATCH, SHORT_MEMORY]))
def test_a_restored_detector_goes_on_as_if_nothing_had_happened(
    stream: list[bool], cut: int, memory: TopicSettings
) -> None:
    watch = DriftWatch(memory, [(), ()])
    for bit in stream[:cut]:
        watch.update({1} if bit else {2})
    restored = DriftWatch.from_arrays(memory, watch.to_arrays())
    for bit in stream[cut:]:
        present = {1} if bit else {2}
        assert restored.update(present) == watch.update(present)
    for mine, theirs in zip(restored._detectors, watch._detectors, strict=True):
        assert mine.history == theirs.history
        for measure in ("width", "total", "variance", "estimation", "n_detections", "drift_detected"):
            assert getattr(mine._adwin, measure) == getattr(theirs._adwin, measure)
