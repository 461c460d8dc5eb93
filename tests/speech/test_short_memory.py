"""With little GPU memory smaller batches give the same result; with none free the CPU takes over.

There is no GPU here: the models run on the CPU by the code that a GPU takes, and complain of more than fits
as CUDA does.
"""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.audio.samples import SAMPLE_RATE, Audio, decode
from models.bundled_models import PackagedModels
from models.speakers.diarization import BATCH as CHUNKS
from models.speakers.diarization import Diarizer
from models.speech.transcription import BATCH as WINDOWS
from models.speech.transcription import Heard, Transcriber

pytestmark = [pytest.mark.speech, pytest.mark.long]


def with_room_for(most: int, run: Callable[..., Any], asked: list[int]) -> Callable[..., Any]:
    """Return the function as on a GPU with memory for `most` at once; `asked` records each batch size."""

    def limited(many: Any, *more: Any, **named: Any) -> Any:
        asked.append(len(many))
        if len(many) > most:
            raise RuntimeError("CUDA failed with error out of memory")
        return run(many, *more, **named)

    return limited


def words(heard: Heard) -> list[str]:
    return [word.text for segment in heard.segments for word in segment.words]


@pytest.fixture
def talk(telephone_call: Path) -> Audio:
    """A call of half a minute, three times."""
    pause = np.zeros(2 * SAMPLE_RATE, np.float32)
    return np.concatenate([part for _ in range(3) for part in (decode(telephone_call), pause)])


def test_a_reduced_batch_is_kept_for_the_next_talk(
    packaged_models: PackagedModels, talk: Audio, monkeypatch: pytest.MonkeyPatch
) -> None:
    transcriber = Transcriber(packaged_models.whisper, device="cpu", batched=True, language="en")
    plenty = transcriber.transcribe(talk)
    asked: list[int] = []
    whisper = transcriber._loaded()
    monkeypatch.setattr(whisper, "encode", with_room_for(2, whisper.encode, asked))
    assert words(transcriber.transcribe(talk)) == words(plenty)
    fits = [number <= 2 for number in asked]
    assert not fits[0]
    assert fits == sorted(fits), "what did not fit was never tried again"
    assert transcriber._batch == WINDOWS // 16 == 1

    asked.clear()
    assert words(transcriber.transcribe(talk)) == words(plenty)
    assert max(asked) <= 2


def test_what_no_window_fits_in_is_transcribed_on_the_cpu(
    packaged_models: PackagedModels,
    talk: Audio,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    transcriber = Transcriber(packaged_models.whisper, device="cpu", batched=True, language="en")
    full = transcriber._loaded()
    monkeypatch.setattr(full, "encode", with_room_for(0, full.encode, []))
    with caplog.at_level(logging.WARNING):
        heard = transcriber.transcribe(talk)
    assert transcriber._loaded() is not full
    assert words(heard) == words(
        Transcriber(packaged_models.whisper, device="cpu", language="en").transcribe(talk)
    )
    assert "the GPU has too little memory to transcribe: on the CPU from now on" in caplog.text


def test_another_error_is_no_lack_of_memory(
    packaged_models: PackagedModels, talk: Audio, monkeypatch: pytest.MonkeyPatch
) -> None:
    transcriber = Transcriber(packaged_models.whisper, device="cpu", batched=True, language="en")

    def broken(*_: Any) -> Any:
        raise RuntimeError("CUDA driver version is insufficient for CUDA runtime version")

    monkeypatch.setattr(transcriber._loaded(), "encode", broken)
    with pytest.raises(RuntimeError, match="insufficient"):
        transcriber.transcribe(talk)
    assert transcriber._batch == WINDOWS


def test_speakers_are_found_in_fewer_chunks_at_once(
    packaged_models: PackagedModels, telephone_call: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = decode(telephone_call)
    diarizer = Diarizer(packaged_models.diarization, device="cpu")
    plenty = diarizer.diarize(call)
    asked: list[int] = []
    segmentation = diarizer._loaded()._segmentation
    monkeypatch.setattr(segmentation, "infer", with_room_for(5, segmentation.infer, asked))
    found = diarizer.diarize(call)
    fits = [number <= 5 for number in asked]
    assert not fits[0]
    assert fits == sorted(fits), "what did not fit was never tried again"
    assert diarizer._batch == CHUNKS // 8 == 4
    assert [(turn.speaker, turn.start, turn.end) for turn in found.turns] == [
        (turn.speaker, turn.start, turn.end) for turn in plenty.turns
    ]


def test_without_gpu_memory_speakers_are_found_on_the_cpu(
    packaged_models: PackagedModels,
    telephone_call: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    call = decode(telephone_call)
    diarizer = Diarizer(packaged_models.diarization, device="cpu")
    plenty = diarizer.diarize(call)
    full = diarizer._loaded()
    monkeypatch.setattr(full._segmentation, "infer", with_room_for(0, full._segmentation.infer, []))
    with caplog.at_level(logging.WARNING):
        found = diarizer.diarize(call)
    assert diarizer._loaded() is not full
    assert found.turns == plenty.turns
    assert "the GPU has too little memory to find speakers: on the CPU from now on" in caplog.text
