"""Real models on real recordings: who said what, when."""

import multiprocessing
import re
import wave
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from itertools import pairwise, permutations
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from models.audio.samples import SAMPLE_RATE, decode
from models.bundled_models import PackagedModels
from models.errors import BadInput, ModelUnavailable
from models.speakers.diarization import Diarizer
from models.speech.decoding import Passage, together
from models.speech.transcriber import SpeechModels
from models.speech.transcription import Transcriber
from models.transcripts.transcript import Transcript

pytestmark = pytest.mark.speech

TALKS = sorted((Path(__file__).parents[2] / "agents" / "cli" / "demo" / "audio").glob("*.ogg"))[:2]
"""Two of the sample talks, beside which lie .txt (who said what) and .rttm (who spoke when)."""


def word_error_rate(reference: str, heard: str) -> float:
    """Word error rate: the fewest words to change, drop or add, per word of the reference."""
    wanted, got = (re.findall(r"[a-z0-9']+", text.lower().replace("-", " ")) for text in (reference, heard))
    costs = list(range(len(got) + 1))
    for i, word in enumerate(wanted, start=1):
        diagonal, costs[0] = costs[0], i
        for j, other in enumerate(got, start=1):
            diagonal, costs[j] = costs[j], min(costs[j] + 1, costs[j - 1] + 1, diagonal + (word != other))
    return costs[-1] / len(wanted)


def text_of(transcript: Transcript) -> str:
    return " ".join(segment.text for segment in transcript.segments)


def reference_turns(path: Path) -> Any:
    from pyannote.database.util import load_rttm

    (annotation,) = load_rttm(path.with_suffix(".rttm")).values()
    return annotation


def diarization_error_rate(reference: Any, turns: list[tuple[float, float, str]], seconds: float) -> float:
    """DER without a collar, overlapped speech included."""
    from pyannote.core import Annotation, Segment, Timeline
    from pyannote.metrics.diarization import DiarizationErrorRate

    heard = Annotation()
    for number, (start, end, speaker) in enumerate(turns):
        heard[Segment(start, end), number] = speaker
    scored = Timeline([Segment(0, seconds)])
    return float(DiarizationErrorRate()(reference, heard, uem=scored))


def words_with_wrong_speaker(transcript: Transcript, reference: Any) -> float:
    """Share of the words that lie in one speaker's turn and were given to another, under the best naming."""
    from pyannote.core import Segment

    pairs: dict[tuple[str, str | None], int] = {}
    for segment in transcript.segments:
        for word in segment.words:
            speaking = reference.crop(Segment(word.start, max(word.end, word.start + 0.01))).labels()
            if len(speaking) == 1:
                pair = (speaking[0], word.speaker)
                pairs[pair] = pairs.get(pair, 0) + 1
    truths, speakers = ({pair[side] for pair in pairs} for side in (0, 1))
    namings = permutations([*speakers, *[None] * len(truths)], len(truths))
    right = max(sum(pairs.get(pair, 0) for pair in zip(truths, naming, strict=True)) for naming in namings)
    return 1 - right / sum(pairs.values())


@pytest.fixture(scope="session")
def transcribed(speech: SpeechModels) -> Callable[[Path], Transcript]:
    return cache(speech.transcribe)


@pytest.fixture
def recording(tmp_path: Path) -> Callable[[npt.NDArray[np.floating[Any]]], Path]:
    def write(samples: npt.NDArray[np.floating[Any]]) -> Path:
        path = tmp_path / "recording.wav"
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
            file.writeframes((np.clip(samples, -1, 1) * 32_767).astype(np.int16).tobytes())
        return path

    return write


def test_the_two_on_the_telephone_are_told_apart(
    packaged_models: PackagedModels, telephone_call: Path
) -> None:
    turns = Diarizer(packaged_models.diarization, device="cpu").diarize(decode(telephone_call)).floor
    assert [turn.speaker for turn in turns][:2] == ["SPEAKER_00", "SPEAKER_01"]
    assert {turn.speaker for turn in turns} == {"SPEAKER_00", "SPEAKER_01"}
    assert all(one.end <= other.start for one, other in pairwise(turns))
    spans = [(turn.start, turn.end, turn.speaker) for turn in turns]
    assert diarization_error_rate(reference_turns(telephone_call), spans, 30) <= 0.15


@pytest.mark.long
def test_the_telephone_call_is_written_down_with_speakers(
    transcribed: Callable[[Path], Transcript], telephone_call: Path
) -> None:
    transcript = transcribed(telephone_call)
    lines = telephone_call.with_suffix(".stm").read_text().splitlines()
    assert transcript.language == "en"
    assert (transcript.language_probability or 0) > 0.9
    assert transcript.duration_s == pytest.approx(30, abs=0.1)
    assert word_error_rate(" ".join(line.split(None, 5)[5] for line in lines), text_of(transcript)) <= 0.25
    words = [word for segment in transcript.segments for word in segment.words]
    assert {word.speaker for word in words} == {"SPEAKER_00", "SPEAKER_01"}
    assert all(word.end <= transcript.duration_s for word in words)
    assert words_with_wrong_speaker(transcript, reference_turns(telephone_call)) <= 0.1
    (origin,) = [segment.speaker for segment in transcript.segments if "Yankee" in segment.text]
    (new_jersey,) = [segment.speaker for segment in transcript.segments if "Diane" in segment.text]
    assert origin != new_jersey


@pytest.mark.long
@pytest.mark.skipif(not TALKS, reason="agents/cli/demo/audio has no sample talks")
@pytest.mark.parametrize("talk", TALKS, ids=lambda talk: talk.stem)
def test_a_sample_talk_is_transcribed_as_it_was_spoken(
    transcribed: Callable[[Path], Transcript], talk: Path
) -> None:
    transcript = transcribed(talk)
    said = re.sub(r"^[^:\n]{1,40}: ", "", talk.with_suffix(".txt").read_text(), flags=re.MULTILINE)
    reference = reference_turns(talk)
    assert word_error_rate(said, text_of(transcript)) <= 0.15
    assert len({segment.speaker for segment in transcript.segments}) == len(reference.labels())
    assert words_with_wrong_speaker(transcript, reference) <= 0.03


@pytest.mark.long
def test_a_spawned_process_writes_the_same_transcript(
    speech: SpeechModels, transcribed: Callable[[Path], Transcript], telephone_call: Path
) -> None:
    here = transcribed(telephone_call)
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        assert process.submit(speech.transcribe, telephone_call).result() == here
        with pytest.raises(BadInput, match=r"conftest\.py is not a media file"):
            process.submit(speech.transcribe, Path(__file__).with_name("conftest.py")).result()


@pytest.mark.long
def test_silence_and_music_have_no_speech_in_them(
    speech: SpeechModels, recording: Callable[[npt.NDArray[np.floating[Any]]], Path]
) -> None:
    time = np.arange(20 * SAMPLE_RATE) / SAMPLE_RATE
    chord = sum(0.15 * np.sin(2 * np.pi * hertz * time) for hertz in (262, 330, 392)) * (time % 0.5 < 0.4)
    noise = np.random.default_rng(0).normal(0, 0.05, time.size)
    with pytest.raises(BadInput, match="it is silent"):
        speech.transcribe(recording(np.zeros(time.size)))
    for sound in (np.asarray(chord), noise, noise[:100]):
        with pytest.raises(BadInput, match="no word was heard"):
            speech.transcribe(recording(sound))


def test_nobody_speaks_in_noise(packaged_models: PackagedModels) -> None:
    diarizer = Diarizer(packaged_models.diarization, device="cpu")
    noise = np.random.default_rng(0).normal(0, 0.01, 3 * SAMPLE_RATE).astype(np.float32)
    assert diarizer.diarize(noise) == ([], [], [])
    assert diarizer.diarize(noise[:200]) == ([], [], [])


def test_one_person_is_one_speaker(packaged_models: PackagedModels, telephone_call: Path) -> None:
    sheila = decode(telephone_call)[int(21.8 * SAMPLE_RATE) : int(27.0 * SAMPLE_RATE)]
    turns = Diarizer(packaged_models.diarization, device="cpu").diarize(sheila).floor
    assert {turn.speaker for turn in turns} == {"SPEAKER_00"}


@pytest.mark.long
@pytest.mark.parametrize("fails", [False, True], ids=["sound", "every window fails"])
def test_windows_decoded_together_say_the_same(
    packaged_models: PackagedModels,
    telephone_call: Path,
    monkeypatch: pytest.MonkeyPatch,
    fails: bool,
) -> None:
    """Windows are batched as on a GPU; one that fails is decoded again, and its words keep their times."""
    call = np.concatenate([np.zeros(40 * SAMPLE_RATE, np.float32), decode(telephone_call)])
    if fails:
        monkeypatch.setattr(Passage, "failed", property(lambda _: True))
    transcriber = Transcriber(packaged_models.whisper, device="cpu", batched=True)
    segments, language, _, dropped = transcriber.transcribe(call)
    (yankee,) = [word for segment in segments for word in segment.words if "Yankee" in word.text]
    assert language == "en"
    assert 40 + 24 < yankee.start < 40 + 28
    assert dropped == []


@pytest.mark.long
def test_longest_windows_come_first_and_the_text_is_the_same(
    packaged_models: PackagedModels, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The comparison is with the library's own order, one by one."""
    from faster_whisper import BatchedInferencePipeline

    seconds: list[list[float]] = []
    forward = BatchedInferencePipeline.forward

    def noted(pipeline: Any, features: Any, tokenizer: Any, windows: Any, options: Any) -> Any:
        seconds.append([window["duration"] for window in windows])
        return forward(pipeline, features, tokenizer, windows, options)

    monkeypatch.setattr(BatchedInferencePipeline, "forward", noted)
    whisper = Transcriber(packaged_models.whisper, device="cpu")._loaded()
    talk, pause = decode(TALKS[0]), np.zeros(2 * SAMPLE_RATE, np.float32)
    audio = np.concatenate([talk[: 9 * SAMPLE_RATE], pause, talk, pause, talk[: 21 * SAMPLE_RATE]])
    found, _ = together(whisper, audio, "en", batch=2)
    assert len(seconds) >= 2
    assert all(min(before) >= max(after) for before, after in pairwise(seconds))
    seconds.clear()
    plain, _ = BatchedInferencePipeline(whisper).transcribe(
        audio, language="en", word_timestamps=True, batch_size=1
    )
    said = [each.text.strip() for each in plain if each.text.strip()]
    assert seconds != sorted(seconds, reverse=True), "in spoken order they are not sorted"
    assert [passage.text for passage in found] == said
    assert len(found) >= 4
    starts = [word.start for passage in found for word in passage.words]
    assert starts == sorted(starts)


def test_a_language_that_is_given_is_not_guessed(packaged_models: PackagedModels) -> None:
    transcriber = Transcriber(packaged_models.whisper, device="cpu", language="de")
    assert transcriber.transcribe(np.zeros(SAMPLE_RATE, np.float32)) == ([], "de", None, [])


def test_versions_are_safe_in_file_names_and_need_no_model(
    speech: SpeechModels, packaged_models: PackagedModels
) -> None:
    on_the_hub = SpeechModels("large-v3-turbo", "pyannote/speaker-diarization-community-1")
    told = SpeechModels(
        "large-v3-turbo", "pyannote/speaker-diarization-community-1", hotwords=["LangChain", "Qdrant"]
    )
    titled = SpeechModels(
        "large-v3-turbo", "pyannote/speaker-diarization-community-1", hotwords_from_title=True
    )
    assert len({speech.version, on_the_hub.version, told.version, titled.version}) == 4
    for version in (speech.version, on_the_hub.version, told.version, titled.version):
        assert re.fullmatch(r"[A-Za-z0-9._-]+", version)
    again = SpeechModels(str(packaged_models.whisper), str(packaged_models.diarization))
    assert again.version == speech.version


@pytest.mark.parametrize("kind", [Transcriber, Diarizer])
def test_a_model_that_cannot_be_had_is_named_with_its_cure(
    kind: type[Transcriber] | type[Diarizer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    use = "transcribe" if kind is Transcriber else "diarize"
    second = np.zeros(SAMPLE_RATE, np.float32)
    for model, cause, cure in [
        ("somebody/no-such-model", "cannot load .* somebody/no-such-model", "check the network"),
        (tmp_path, f"cannot load .* {tmp_path}", "a folder must hold"),
        (tmp_path / "none", "no model folder", "give a hub name"),
    ]:
        with pytest.raises(ModelUnavailable) as caught:
            getattr(kind(model, device="cpu"), use)(second)
        assert re.match(cause, caught.value.cause)
        assert cure in caught.value.cure
