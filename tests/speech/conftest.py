"""The packaged models, assembled once per machine, and the recordings that are spoken into them."""

import os
from importlib import metadata
from pathlib import Path

import pytest
from platformdirs import user_cache_path

from models.bundled_models import PackagedModels, prepare
from models.speech.transcriber import SpeechModels


@pytest.fixture(scope="session")
def packaged_models() -> PackagedModels:
    cache = os.environ.get("GROUNDSWELL_MODELS")
    return prepare(Path(cache) if cache else user_cache_path("groundswell") / "models")


@pytest.fixture(scope="session")
def speech(packaged_models: PackagedModels) -> SpeechModels:
    return SpeechModels(packaged_models.whisper, packaged_models.diarization, device="cpu", threads=1)


@pytest.fixture(scope="session")
def telephone_call() -> Path:
    """Thirty seconds of two people, talking over each other: pyannote.audio's own sample, with .rttm."""
    return Path(str(metadata.distribution("pyannote.audio").locate_file("pyannote/audio/sample/sample.wav")))
