"""Long recordings are cut in pauses, into pieces of about one length, without losing a sample."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.audio.samples import SAMPLE_RATE
from models.audio.segmentation import REACH_S, stretches


def noise(seconds: float) -> np.ndarray:
    return np.random.default_rng(1).normal(0, 0.1, int(seconds * SAMPLE_RATE)).astype(np.float32)


def test_it_is_cut_in_the_middle_of_a_pause() -> None:
    recording = noise(240)
    recording[int(131 * SAMPLE_RATE) : int(133 * SAMPLE_RATE)] = 0
    first, second = stretches(recording, length_s=120)
    assert first[1] == second[0]
    assert 131 < first[1] / SAMPLE_RATE < 133


@pytest.mark.parametrize(("seconds", "pieces"), [(0, 1), (1, 1), (170, 1), (200, 2), (600, 5)])
def test_a_piece_is_about_as_long_as_asked(seconds: float, pieces: int) -> None:
    found = stretches(noise(seconds), length_s=120)
    assert len(found) == pieces
    if pieces > 1:
        assert all(60 < (end - begin) / SAMPLE_RATE < 120 + 2 * REACH_S for begin, end in found)


@given(seconds=st.integers(0, 400), length_s=st.integers(90, 200))
def test_nothing_is_lost_or_said_twice(seconds: int, length_s: int) -> None:
    recording = np.zeros(seconds * SAMPLE_RATE // 8, dtype=np.float32)
    found = stretches(recording, length_s / 8)
    assert found[0][0] == 0
    assert found[-1][1] == len(recording)
    assert all(before[1] == after[0] for before, after in pairwise(found))
