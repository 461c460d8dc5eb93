"""Voices of a recording of many hours are distinguished in bounded memory, and a short one's as before."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pytest

from models.bundled_models import PackagedModels
from models.speakers.voice_clustering import MOST, bound

if TYPE_CHECKING:
    from pyannote.core import SlidingWindowFeature

pytestmark = [pytest.mark.speech, pytest.mark.long]
HOUR = 3600
"""Windows of ten seconds, one a second."""
PEOPLE, DIMENSION = 5, 192
RARE = PEOPLE - 1
"""Somebody who speaks for forty seconds, once."""
MB = 1_000_000
Heard = tuple[npt.NDArray[np.float32], "SlidingWindowFeature", npt.NDArray[np.int64]]


def heard(windows: int, seed: int = 1) -> Heard:
    """Made-up voices (two of one person: cosine about .77), who is active when, and whose they are."""
    from pyannote.core import SlidingWindow, SlidingWindowFeature

    chance = np.random.default_rng(seed)
    voices = chance.normal(size=(PEOPLE, DIMENSION))
    voices /= np.linalg.norm(voices, axis=1, keepdims=True)
    who = np.repeat(chance.integers(0, RARE, windows // 60), 60)
    who[1000:1040] = RARE
    embeddings = np.full((windows, 3, DIMENSION), np.nan, np.float32)
    embeddings[:, 0] = voices[who] + 0.04 * chance.normal(size=(windows, DIMENSION))
    active = np.zeros((windows, 20, 3), np.float32)
    active[:, :, 0] = 1
    return embeddings, SlidingWindowFeature(active, SlidingWindow(duration=10, step=1)), who


def clustering(folder: Path) -> Any:
    """The packaged pipeline's, as it comes."""
    from pyannote.audio import Pipeline

    pipeline = Pipeline.from_pretrained(folder)
    assert pipeline is not None
    return pipeline.clustering


def told_apart(by: Any, embeddings: Any, active: Any) -> npt.NDArray[np.int64]:
    found, _, _ = by(embeddings=embeddings, segmentations=active, min_clusters=1, max_clusters=np.inf)
    return np.asarray(found[:, 0])


def test_a_day_takes_a_bounded_memory_and_nobody_is_lost(packaged_models: PackagedModels) -> None:
    embeddings, active, who = heard(24 * HOUR)
    by = clustering(packaged_models.diarization)
    bound(by)
    tracemalloc.start()
    found = told_apart(by, embeddings, active)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 600 * MB, "all pairs would take gigabytes"
    assert len(np.unique(found)) == PEOPLE
    assert all(len(np.unique(found[who == person])) == 1 for person in range(PEOPLE))


def test_up_to_two_hours_of_one_voice_the_result_is_identical(packaged_models: PackagedModels) -> None:
    embeddings, active, _ = heard(2 * HOUR)
    by = clustering(packaged_models.diarization)
    smallest = by.min_cluster_size
    before = told_apart(by, embeddings.copy(), active)
    bound(by)
    assert len(embeddings) <= MOST
    assert np.array_equal(told_apart(by, embeddings.copy(), active), before)
    assert by.min_cluster_size == smallest


def test_a_short_recording_after_a_long_one_is_compared_whole(packaged_models: PackagedModels) -> None:
    by = clustering(packaged_models.diarization)
    smallest = by.min_cluster_size
    bound(by)
    told_apart(by, *heard(3 * HOUR)[:2])
    assert by.min_cluster_size == smallest / 2
    embeddings, active, who = heard(HOUR // 2)
    found = told_apart(by, embeddings, active)
    assert by.min_cluster_size == smallest
    assert len(np.unique(found)) == len(np.unique(who))
