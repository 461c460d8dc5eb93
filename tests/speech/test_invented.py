"""Whisper on sounds that are no speech, and on speech that is hard to hear: none invented, none lost."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.audio.samples import SAMPLE_RATE, Audio, decode
from models.bundled_models import PackagedModels
from models.speech.decoding import Passage
from models.speech.transcription import Heard, Transcriber
from tests.realdata import shared

pytestmark = [pytest.mark.speech, pytest.mark.long]

TALK = Path(__file__).parents[2] / "agents" / "cli" / "demo" / "audio" / "2025-03-13-three-graders.ogg"
SECONDS = 30
NOW = np.arange(SECONDS * SAMPLE_RATE) / SAMPLE_RATE

Hearing = Callable[[Audio, bool], tuple[list[Passage], Heard]]


def words(text: str) -> list[str]:
    return re.findall(r"[\w']+", text.lower())


def kept(heard: Heard) -> list[str]:
    return words(" ".join(segment.text for segment in heard.segments))


def pairs(said: Sequence[str]) -> Counter[tuple[str, str]]:
    """Count each pair of consecutive words."""
    return Counter(pairwise(said))


def only(audio: Audio, low: float, high: float) -> Audio:
    """Return the audio between two frequencies (Hz)."""
    from scipy.signal import butter, sosfilt

    filters = butter(6, [low, high], "band", fs=SAMPLE_RATE, output="sos")
    return np.asarray(sosfilt(filters, audio), np.float32)


def by_telephone(audio: Audio) -> Audio:
    """Return the audio as by telephone: 300 to 3400 Hz, 8000 samples a second."""
    from scipy.signal import resample_poly

    return np.asarray(resample_poly(resample_poly(only(audio, 300, 3400), 1, 2), 2, 1), np.float32)


def in_noise(audio: Audio, louder_db: float) -> Audio:
    """Return the audio with white noise, which the speech exceeds by `louder_db`."""
    noise = np.random.default_rng(0).normal(0, 1, audio.size)
    noise *= np.sqrt(np.mean(audio**2) / 10 ** (louder_db / 10))
    return np.asarray(audio + noise, np.float32)


def glide() -> Audio:
    """Return a hum whose pitch and loudness rise and fall as those of a voice do."""
    phase = np.cumsum(140 + 40 * np.sin(2 * np.pi * 0.7 * NOW)) / SAMPLE_RATE
    hum = sum(np.sin(2 * np.pi * partial * phase) / partial for partial in range(1, 15))
    return np.asarray(0.3 * hum * (0.5 + 0.5 * np.sin(2 * np.pi * 3.5 * NOW)), np.float32)


def vowels() -> Audio:
    """Return the same hum through the resonances of a mouth."""
    return only(glide(), 300, 900) + np.float32(0.5) * only(glide(), 1500, 2500)


def clicks() -> Audio:
    silence = np.zeros(SECONDS * SAMPLE_RATE, np.float32)
    silence[np.random.default_rng(0).integers(0, silence.size, 60)] = 0.8
    return silence


class NotedTranscriber(Transcriber):
    """A transcriber that notes what it decoded, before hallucinations are filtered."""

    def hear(self, audio: Audio) -> tuple[list[Passage], Heard]:
        heard = self.transcribe(audio)
        return self.decoded, heard

    def _decoded(self, audio: Audio, language: str | None, hint: str | None) -> tuple[list[Passage], Any]:
        self.decoded, info = super()._decoded(audio, language, hint)
        return self.decoded, info


@pytest.fixture(scope="module")
def hearing(packaged_models: PackagedModels) -> Hearing:
    """A function that returns the decoded passages and the transcript of those that are believed."""
    heard = {
        batched: NotedTranscriber(packaged_models.whisper, device="cpu", batched=batched)
        for batched in (False, True)
    }
    return lambda audio, batched: heard[batched].hear(audio)


@pytest.fixture(scope="module")
def speech_of() -> Callable[[str], Audio]:
    return cache(lambda name: decode(shared(f"audio/{name}")))


@pytest.mark.parametrize(
    ("sound", "batched"), [(glide, False), (vowels, True)], ids=["a hum in order", "vowels together"]
)
def test_no_sentence_is_made_of_a_hum(hearing: Hearing, sound: Callable[[], Audio], batched: bool) -> None:
    """The voice detector takes some of it for speech, and Whisper writes sentences for that."""
    passages, heard = hearing(sound(), batched)
    assert passages
    assert heard.segments == []
    assert heard.dropped
    assert all(dropped.reason and dropped.text for dropped in heard.dropped)


def test_clicks_in_silence_are_not_speech(hearing: Hearing) -> None:
    for batched in (False, True):
        assert hearing(clicks(), batched)[1].segments == []


def test_a_call_played_backwards_has_no_loop_and_no_guess_in_it(
    hearing: Hearing, telephone_call: Path
) -> None:
    """Whisper, decoding windows together, writes that it is sorry, or something else, again and again."""
    passages, heard = hearing(decode(telephone_call)[::-1].copy(), True)
    ((pair, times),) = pairs(words(passages[0].text)).most_common(1)
    assert times >= 4
    assert pairs(kept(heard))[pair] <= 1
    assert len(kept(heard)) < len(words(" ".join(passage.text for passage in passages)))


@pytest.mark.parametrize("batched", [False, True], ids=["in order", "together"])
def test_nothing_that_somebody_says_is_dropped(hearing: Hearing, telephone_call: Path, batched: bool) -> None:
    call = decode(telephone_call)
    for audio in (by_telephone(call), call if batched else decode(TALK)):
        passages, heard = hearing(audio, batched)
        assert heard.dropped == []
        assert kept(heard) == words(" ".join(passage.text for passage in passages))


@pytest.mark.parametrize("batched", [False, True], ids=["in order", "together"])
def test_speech_as_loud_as_the_noise_around_it_is_not_dropped(
    hearing: Hearing, telephone_call: Path, batched: bool
) -> None:
    assert hearing(in_noise(decode(telephone_call), 0), batched)[1].dropped == []


def test_who_says_the_same_twice_is_heard_twice(hearing: Hearing, speech_of: Callable[[str], Audio]) -> None:
    """The text of one window is as repetitive as a loop."""
    jfk = speech_of("jfk.flac")
    hush = np.random.default_rng(0).normal(0, 1e-4, 20 * SAMPLE_RATE).astype(np.float32)
    passages, heard = hearing(np.concatenate([jfk, hush, jfk]), True)
    assert max(passage.compression for passage in passages) > 2.4
    assert heard.dropped == []
    assert " ".join(kept(heard)).count("ask not what your country can do for you") == 2


@pytest.mark.parametrize("batched", [False, True], ids=["in order", "together"])
def test_books_read_aloud_are_written_down_whole(
    hearing: Hearing, speech_of: Callable[[str], Audio], batched: bool
) -> None:
    book = speech_of("libri4.flac")[: 40 * SAMPLE_RATE]  # more than one window
    passages, heard = hearing(by_telephone(book) if batched else book, batched)
    assert heard.dropped == []
    assert kept(heard) == words(" ".join(passage.text for passage in passages))
