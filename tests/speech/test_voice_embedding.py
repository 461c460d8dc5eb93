"""Embedding voices block by block gives pyannote.audio's result, in a fraction of the memory."""

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from models.audio.samples import SAMPLE_RATE, decode
from models.bundled_models import PackagedModels
from models.speakers import voice_embedding
from models.speakers.voice_embedding import embed_in_blocks

pytestmark = [pytest.mark.speech, pytest.mark.long]
FRAMES = 589
HOUR = 3600
"""Windows of ten seconds, one a second."""
MB = 1_000_000


def pipeline_in(folder: Path) -> Any:
    from pyannote.audio import Pipeline

    pipeline = Pipeline.from_pretrained(folder)
    assert pipeline is not None
    return pipeline


def heard(samples: npt.NDArray[np.float32]) -> dict[str, Any]:
    import torch

    return {"waveform": torch.from_numpy(samples)[None], "sample_rate": SAMPLE_RATE}


def test_it_is_what_pyannote_says(
    packaged_models: PackagedModels, telephone_call: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = pipeline_in(packaged_models.diarization)
    sound = heard(decode(telephone_call))
    active = pipeline.get_segmentations(sound)
    theirs = pipeline.get_embeddings(sound, active, exclude_overlap=True)
    monkeypatch.setattr(voice_embedding, "BLOCK", 8)
    embed_in_blocks(pipeline)
    ours = pipeline.get_embeddings(sound, active, exclude_overlap=True)
    assert len(ours) > 2 * voice_embedding.BLOCK
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_an_hour_is_not_laid_out_at_once(packaged_models: PackagedModels) -> None:
    """At once it takes 70 MB beside the embeddings, and as much again for every other hour."""
    from pyannote.core import SlidingWindow, SlidingWindowFeature

    pipeline = pipeline_in(packaged_models.diarization)
    embed_in_blocks(pipeline)
    dimension = pipeline._embedding.dimension

    class Quick:
        """A model with one embedding for all voices: who is active, not how they sound, takes the memory."""

        min_num_samples, sample_rate = 400, SAMPLE_RATE

        def __call__(self, waveforms: Any, masks: Any) -> npt.NDArray[np.float32]:
            return np.zeros((len(waveforms), dimension), np.float32)

    pipeline._embedding = Quick()
    active = SlidingWindowFeature(np.ones((HOUR, FRAMES, 3), np.float32), SlidingWindow(duration=10, step=1))
    sound = heard(np.zeros((HOUR + 9) * SAMPLE_RATE, np.float32))
    tracemalloc.start()
    found = pipeline.get_embeddings(sound, active, exclude_overlap=True)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.shape == (HOUR, 3, dimension)
    assert peak < 40 * MB
