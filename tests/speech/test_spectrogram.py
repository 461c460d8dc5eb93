"""Whisper's input spectrogram equals faster-whisper's, in a fraction of the memory."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING

import numpy as np
import pytest

from models.audio.samples import SAMPLE_RATE, Audio
from models.audio.spectrogram import BLOCK, InBlocks

if TYPE_CHECKING:
    from faster_whisper.feature_extractor import FeatureExtractor

pytestmark = [pytest.mark.speech, pytest.mark.long]
HOP = 160


def sound(samples: int) -> Audio:
    """Noise that swells and fades, with a silence in it: no two blocks have the same loudest place."""
    swell = np.geomspace(1e-4, 1, samples // 2, dtype=np.float32)
    noise = np.random.default_rng(samples).normal(0, 0.1, samples).astype(np.float32)
    noise[: len(swell)] *= swell
    noise[len(swell) : len(swell) + 4 * SAMPLE_RATE] = 0
    return noise


@pytest.mark.parametrize(
    "samples",
    [161, 5_000, BLOCK * HOP - 1, BLOCK * HOP, BLOCK * HOP + 1, BLOCK * HOP + 200, 2 * BLOCK * HOP + 320],
)
@pytest.mark.parametrize("padding", [0, 160])
def test_it_is_what_faster_whisper_makes(samples: int, padding: int) -> None:
    from faster_whisper.feature_extractor import FeatureExtractor

    heard = sound(samples)
    ours = InBlocks()(heard, padding=padding)
    np.testing.assert_allclose(ours, FeatureExtractor()(heard, padding=padding), atol=1e-5)
    assert ours.dtype == np.float32


def test_windows_of_another_length_are_told_to_it_as_before() -> None:
    from faster_whisper.feature_extractor import FeatureExtractor

    ours, theirs = InBlocks(), FeatureExtractor()
    for extractor in (ours, theirs):
        extractor(sound(SAMPLE_RATE), chunk_length=10)
    assert (
        (ours.n_samples, ours.nb_max_frames) == (theirs.n_samples, theirs.nb_max_frames) == (160_000, 1_000)
    )


def peak_mb(extractor: FeatureExtractor, heard: Audio) -> float:
    tracemalloc.start()
    extractor(heard)
    peak: float = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    return peak


def test_ten_minutes_take_a_fraction_of_the_memory() -> None:
    from faster_whisper.feature_extractor import FeatureExtractor

    heard = sound(600 * SAMPLE_RATE)
    assert peak_mb(FeatureExtractor(), heard) > 400
    assert peak_mb(InBlocks(), heard) < 100
