"""Adding up one speaker after another gives pyannote.audio's result, in a fraction of the memory."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pytest

from models.audio.samples import SAMPLE_RATE, decode
from models.bundled_models import PackagedModels
from models.speakers.diarization import Diarizer

if TYPE_CHECKING:
    from pyannote.core import SlidingWindowFeature

pytestmark = [pytest.mark.speech, pytest.mark.long]
RECORDING = Path(__file__).parents[2] / "agents" / "cli" / "demo" / "audio" / "2025-03-13-three-graders.ogg"
FRAMES = 589
STEP_S = 0.016875
Said = tuple["SlidingWindowFeature", npt.NDArray[np.int8], "SlidingWindowFeature"]


def said(windows: int, speakers: int, seed: int) -> Said:
    """Return who is active in windows of ten seconds, whose voice each is, and how many speak at once."""
    from pyannote.audio.pipelines import SpeakerDiarization
    from pyannote.core import SlidingWindow, SlidingWindowFeature

    chance = np.random.default_rng(seed)
    active = chance.random((windows, 1 + FRAMES // 40, 3)).repeat(40, axis=1)[:, :FRAMES] < 0.4
    segmentations = SlidingWindowFeature(active.astype(np.float32), SlidingWindow(duration=10, step=1))
    whose = chance.integers(0, speakers, (windows, 3), dtype=np.int8)
    whose[chance.random((windows, 3)) < 0.2] = -2
    frames = SlidingWindow(duration=0.0619, step=STEP_S)
    count = SpeakerDiarization.speaker_count(segmentations, frames, warm_up=(0.0, 0.0))
    return segmentations, whose, count


def added_up(*of: Any) -> SlidingWindowFeature:
    from models.speakers.speaker_activity import add_up_by_speaker  # imports pyannote.audio: twelve seconds

    pipeline = SimpleNamespace()
    add_up_by_speaker(pipeline)
    found: SlidingWindowFeature = pipeline.reconstruct(*of)
    return found


@pytest.mark.parametrize(("windows", "speakers"), [(1, 1), (2, 1), (30, 2), (30, 9), (120, 4)])
@pytest.mark.parametrize("seed", range(3))
def test_it_is_what_pyannote_says(windows: int, speakers: int, seed: int) -> None:
    from pyannote.audio.pipelines import SpeakerDiarization

    of = said(windows, speakers, seed)
    theirs = SpeakerDiarization.reconstruct(SpeakerDiarization, *of)
    ours = added_up(*of)
    assert theirs.data.any()
    assert np.array_equal(ours.data, theirs.data)
    window, expected = ours.sliding_window, theirs.sliding_window
    assert (window.start, window.duration, window.step) == (expected.start, expected.duration, expected.step)


def test_a_recording_has_the_turns_that_pyannote_alone_finds(packaged_models: PackagedModels) -> None:
    import torch
    from pyannote.audio import Pipeline

    heard = {
        "waveform": torch.from_numpy(decode(RECORDING)[: 25 * SAMPLE_RATE])[None],
        "sample_rate": SAMPLE_RATE,
    }
    alone = Pipeline.from_pretrained(packaged_models.diarization)
    assert alone is not None
    before = alone(heard)
    diarizer = Diarizer(packaged_models.diarization, device="cpu")
    after = diarizer._diarized(heard)
    for turns in ("speaker_diarization", "exclusive_speaker_diarization"):
        found, expected = getattr(after, turns), getattr(before, turns)
        assert list(found.itertracks(yield_label=True)) == list(expected.itertracks(yield_label=True))
    assert len(before.speaker_diarization.labels()) > 1
    assert diarizer._pipeline.reconstruct.__module__ == "models.speakers.speaker_activity"


def test_many_speakers_fit_into_a_quarter_of_pyannotes_memory() -> None:
    of = said(900, 20, seed=1)
    tracemalloc.start()
    found = added_up(*of)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.data.shape[1] == 20
    assert peak < 900 * FRAMES * 20 * np.float64().nbytes / 4
