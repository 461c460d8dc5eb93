"""Recordings that mislead: very long, of another language than their title, stuck, two people at once.

Silence, music, noise and one speaker alone are in test_speech_models.py; broken files in test_audio.py.
"""

import json
import struct
import subprocess
import sys
import wave
import zlib
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from agents.consumer.consumer import Position
from agents.transcription.transcribe import Transcribe
from models.audio.samples import SAMPLE_RATE, Audio, decode, duration_s, measure, probe
from models.bundled_models import PackagedModels
from models.errors import BadInput
from models.speakers.diarization import Diarizer
from models.speech.transcriber import SpeechModels
from models.speech.transcription import Transcriber
from streams.events import AudioStored, Video, VideoRejected
from streams.settings import Settings
from streams.state.blobs import Blobs
from tests.processes import AUDIO, ROOT

pytestmark = [pytest.mark.speech, pytest.mark.long]

TALK = AUDIO / "2025-03-13-three-graders.ogg"
"""It begins: "Welcome to Shipping Models. Today we talk about evaluation."."""
GERMAN = Path(__file__).with_name("german_talk.ogg")
"""Twenty seconds of German, by eSpeak NG: how a language model went into production."""
THREE_HOURS_S = 3 * 3600
SYLLABLES = ((1.0, 1.35), (1.2, 1.5), (3.0, 3.4), (4.0, 4.5), (2.0, 2.35))
"""Of the talk, seconds."""
AT = Position("log", "audio.stored", 0, 0)


def seconds(audio: Audio, begin: float, end: float) -> Audio:
    return audio[int(begin * SAMPLE_RATE) : int(end * SAMPLE_RATE)]


def write(path: Path, *pieces: Audio) -> Path:
    """Write pieces one after the other, as WAV or FLAC: 16 kHz, mono."""
    with av.open(str(path), "w") as container:
        sound = container.add_stream({".wav": "pcm_s16le", ".flac": "flac"}[path.suffix], rate=SAMPLE_RATE)
        sound.layout = "mono"
        at = 0
        for piece in pieces:
            samples = (np.clip(piece, -1, 1) * 32_767).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
            frame.sample_rate, frame.pts = SAMPLE_RATE, at
            at += len(piece)
            container.mux(sound.encode(frame))
        container.mux(sound.encode(None))
    return path


HEARD = """
import json, resource, sys
from pathlib import Path

from models.audio import samples as audio
from models.audio.segmentation import stretches
from models.speech.transcription import Transcriber

whisper, warm_up, recording, decoded = sys.argv[1], *map(Path, sys.argv[2:])

def peak_mb():
    status = Path("/proc/self/status")  # of this program alone: ru_maxrss begins with its parent's
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # macOS: bytes

transcriber = Transcriber(whisper, device="cpu")
transcriber.transcribe(audio.decode(warm_up)[: 10 * audio.SAMPLE_RATE])
loaded = peak_mb()
audio.decode_to(recording, decoded)
samples = audio.kept(decoded)
assert not audio.is_silent(samples)
cuts = stretches(samples)
words = [
    (round(begin / audio.SAMPLE_RATE + word.start, 1), word.text.strip())
    for begin, end in cuts
    for segment in transcriber.transcribe(samples[begin:end])[0]
    for word in segment.words
]
seconds = audio.duration_s(samples)
print(json.dumps({"words": words, "grown_mb": peak_mb() - loaded, "cuts": len(cuts), "seconds": seconds}))
"""


def test_a_three_hour_talk_takes_two_gigabytes_above_the_models(
    packaged_models: PackagedModels, tmp_path: Path
) -> None:
    """A process of its own decodes the talk, searches for voices and transcribes, as the worker does it.

    Three hours of speech take the models hours on a test machine: here people speak at the beginning, in the
    middle and at the end, with silence between, and speakers are not looked for.
    """
    begin = seconds(decode(TALK), 0, 9)
    silence = np.zeros(SAMPLE_RATE * 600, np.float32)
    half = [silence] * 9
    half[-1] = silence[len(begin) // 2 :]
    recording = write(tmp_path / "talk.flac", begin, *half[:-1], half[-1], begin, *half[:-1], half[-1], begin)
    measured = measure(recording)
    assert measured == pytest.approx(THREE_HOURS_S + 18, abs=10)
    answer = subprocess.run(
        [
            *(sys.executable, "-c", HEARD, str(packaged_models.whisper), str(TALK)),
            *(str(recording), str(tmp_path / "talk.f32")),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    found = json.loads(answer.stdout.splitlines()[-1])
    assert found["seconds"] == pytest.approx(measured, abs=0.1)
    assert found["cuts"] == 18
    assert 0 < found["grown_mb"] <= 2000
    welcomes = [start for start, word in found["words"] if word == "Welcome"]
    middle, end = found["seconds"] / 2 - 4.5, found["seconds"] - 9
    assert welcomes == pytest.approx([0, middle, end], abs=1.5)
    assert len(found["words"]) == pytest.approx(3 * 26, abs=12)


@pytest.fixture
async def transcribe(tmp_path: Path, speech: SpeechModels) -> AsyncIterator[Transcribe]:
    """The agent with its real child processes and models."""
    settings = Settings(home=tmp_path, threads=1)
    agent = Transcribe(settings, Blobs(str(tmp_path / "blobs")), lambda: speech, tmp_path / "decoded")
    await agent.start()
    yield agent
    await agent.stop()


def stored(folder: Path, recording: Path, title: str) -> AudioStored:
    video = Video(video_id="abcdefghijk", title=title, language="en")
    audio = Blobs(str(folder / "blobs")).put_file(f"audio/{recording.name}", recording)
    return AudioStored(video=video, audio=audio)


async def test_german_under_an_english_title_is_rejected_by_sound(
    transcribe: Transcribe, tmp_path: Path
) -> None:
    event = stored(tmp_path, GERMAN, "How we brought our language model into production")
    (rejected,) = await transcribe.handle(event, AT)
    assert isinstance(rejected, VideoRejected)
    assert (rejected.rule, rejected.reason) == ("language", "it is spoken in 'de', not in en")
    assert rejected.video.language == "de"
    assert rejected.video.title == event.video.title


async def test_a_recording_without_a_word_is_no_empty_transcript(
    transcribe: Transcribe, tmp_path: Path
) -> None:
    hiss = np.random.default_rng(0).normal(0, 0.05, 5 * SAMPLE_RATE).astype(np.float32)
    event = stored(tmp_path, write(tmp_path / "talk.wav", hiss), "Ambient sounds for deep work")
    with pytest.raises(BadInput) as caught:
        await transcribe.handle(event, AT)
    assert caught.value.cause == "no speech in talk.wav: no word was heard"
    assert caught.value.cure == "if it is music only, exclude it"
    assert list((tmp_path / "decoded").iterdir()) == []


def test_a_stuck_recording_is_no_word_loop_nor_harms_the_next(
    packaged_models: PackagedModels,
) -> None:
    """A syllable that comes again and again, as a stuck recorder writes it, makes Whisper repeat itself.

    Which one does is a matter of the last digits, so of the processor: the first that does is taken.
    """
    from faster_whisper import WhisperModel

    talk = decode(TALK)
    whisper = WhisperModel(
        str(packaged_models.whisper), device="cpu", compute_type="int8_float32", cpu_threads=1
    )
    for begin, end in SYLLABLES:
        stuck = np.tile(seconds(talk, begin, end), round(30 / (end - begin)))
        recording = np.concatenate([stuck, np.zeros(2 * SAMPLE_RATE, np.float32), seconds(talk, 0, 9)])
        unguarded, _ = whisper.transcribe(
            recording,
            language="en",
            temperature=0,
            compression_ratio_threshold=None,
            log_prob_threshold=None,
            no_speech_threshold=None,
        )
        if max(squeezed(segment.text) for segment in unguarded) > 10:
            break
    else:
        pytest.fail("Whisper repeats itself at none of the syllables: find another one")

    segments = Transcriber(packaged_models.whisper, device="cpu", language="en").transcribe(recording)[0]
    assert max(squeezed(segment.text) for segment in segments) <= 2.4
    welcome = [word.end for segment in segments for word in segment.words if "Welcome" in word.text]
    assert welcome == pytest.approx([duration_s(stuck) + 3], abs=2)


def squeezed(text: str) -> float:
    """Return the text's compression ratio, which is high for loops."""
    content = text.encode()
    return len(content) / len(zlib.compress(content))


def test_two_who_speak_at_once_share_no_second_and_no_word(
    speech: SpeechModels, packaged_models: PackagedModels, tmp_path: Path
) -> None:
    """One asks, and the other answers three seconds before the question ends."""
    talk = decode(TALK)
    question, answer = seconds(talk, 0.4, 9.6), seconds(talk, 10.1, 22.0)
    mixed = np.zeros(int(18.1 * SAMPLE_RATE), np.float32)
    mixed[: len(question)] += question
    mixed[-len(answer) :] += answer[: len(mixed)]
    turns = Diarizer(packaged_models.diarization, device="cpu").diarize(mixed).floor
    assert all(one.end <= other.start for one, other in pairwise(turns))
    assert {turn.speaker for turn in turns} == {"SPEAKER_00", "SPEAKER_01"}
    transcript = speech.transcribe(write(tmp_path / "talk.wav", mixed))
    assert any(one.end > other.start for one, other in pairwise(transcript.turns)), "what was heard is kept"
    assert {voice.speaker for voice in transcript.voices} == {"SPEAKER_00", "SPEAKER_01"}
    assert sum(voice.heard_s for voice in transcript.voices) > sum(turn.duration_s for turn in turns)
    assert all(len(voice.embedding) == 192 for voice in transcript.voices)
    words = [word for segment in transcript.segments for word in segment.words]
    assert all(word.speaker in ("SPEAKER_00", "SPEAKER_01") for word in words)
    assert {word.speaker for word in words if word.end < 5} == {turns[0].speaker}
    assert {word.speaker for word in words if word.start > 11} == {turns[-1].speaker} != {turns[0].speaker}
    assert [word.start for word in words] == sorted(word.start for word in words)


@pytest.mark.parametrize("says", [0, 0xFFFF_FFFF], ids=["nothing", "four gigabytes"])
def test_a_recording_without_stated_length_is_measured_by_sound(tmp_path: Path, says: int) -> None:
    """A header is written first; a program that streams its output never comes back to correct it."""
    path = tmp_path / "talk.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes((seconds(decode(TALK), 0, 20) * 32_767).astype("<i2").tobytes())
    content = bytearray(path.read_bytes())
    content[4:8], content[40:44] = struct.pack("<I", says), struct.pack("<I", says)
    path.write_bytes(content)
    assert duration_s(decode(path)) == pytest.approx(20, abs=0.01)
    assert measure(path) == pytest.approx(20, abs=0.01)
    assert probe(path) == pytest.approx(20, abs=0.01)
