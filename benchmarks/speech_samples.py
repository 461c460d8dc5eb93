"""Recordings to measure speech models with, and what is known of them: who said which words, and when.

Beside a media file `talk.ogg` may lie: `talk.txt`, its words, one `Name: words` a turn or only words;
`talk.rttm`, who speaks when; `talk.stm`, both. A `*transcription` file in the folder has lines
`words (name)`, as Sphinx's test data have.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import wave
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import numpy as np

from benchmarks.machine import ROOT
from benchmarks.topics.streams import data_folder
from models.audio.samples import SAMPLE_RATE, Audio, decode, measure
from models.transcripts.transcript import Turn
from streams.errors import DataError

MEDIA = {".flac", ".m4a", ".mka", ".mp3", ".mp4", ".ogg", ".opus", ".wav", ".webm"}
DIALOGUES = ROOT / "agents" / "cli" / "demo" / "audio"
"""Where texts lie that were written to be spoken, with the sample talks that other voices made of them."""
CASTS = (("slt", "rms"), ("awb", "kal"), ("rms", "slt", "kal", "awb"))
"""Flite's voices, those of a dialogue each; with four, two texts are spoken in turns."""
PAUSE_S = (0.2, 0.8)
OVERLAP_S, OVERLAPS = 0.5, 3
"""Every third turn begins half a second before the one before it ends."""
_LOUD = 0.02
_SPEAKER = re.compile(r"([^:\n]{1,40}): (.+)")
_SPHINX = re.compile(r"(?:<s>)?(.*?)(?:</s>)?\s*\(([^()]+)\)")


@dataclass(frozen=True)
class Said:
    """Words of one speaker up to another's turn; `speaker` is None if it is unknown."""

    speaker: str | None
    text: str


@dataclass(frozen=True)
class Sample:
    """A recording and its truth.

    Attributes:
        seconds: its length, decoded.
        said: in the order in which turns began; None: the words are not known.
        turns: seconds; they may overlap. None: it is not known who speaks when.
    """

    name: str
    path: Path
    seconds: float
    said: tuple[Said, ...] | None
    turns: tuple[Turn, ...] | None


def in_folder(folder: Path) -> list[Sample]:
    """Return the recordings of a folder, by name.

    Raises:
        DataError: there is none.
    """
    paths = sorted(path for path in folder.glob("*") if path.suffix.lower() in MEDIA)
    if not paths:
        raise DataError(
            f"there is no recording in {folder}", f"give a folder with {', '.join(sorted(MEDIA))}"
        )
    listed = {
        found[2].strip(): (Said(None, found[1].strip()),)
        for path in sorted(folder.glob("*transcription"))
        for found in map(_SPHINX.fullmatch, map(str.strip, path.read_text(encoding="utf-8").splitlines()))
        if found
    }
    return [read(path, listed.get(path.stem)) for path in paths]


def read(path: Path, said: tuple[Said, ...] | None = None) -> Sample:
    """Return a recording with what lies beside it; `said` where nothing there has its words.

    Raises:
        DataError: a line of what lies beside it cannot be read.
    """
    turns = None
    if (stm := path.with_suffix(".stm")).exists():
        rows = [_stm(line, stm) for line in _lines(stm)]
        said, turns = tuple(row[0] for row in rows), tuple(row[1] for row in rows)
    if (rttm := path.with_suffix(".rttm")).exists():
        turns = tuple(_rttm(line, rttm) for line in _lines(rttm) if line.startswith("SPEAKER"))
    if (text := path.with_suffix(".txt")).exists():
        found = [_SPEAKER.fullmatch(line) for line in _lines(text)]
        if all(found):
            said = tuple(Said(each[1].replace(" ", "_"), each[2]) for each in found if each)
        else:
            said = (Said(None, " ".join(_lines(text))),)
    return Sample(path.stem, path, measure(path), said, turns)


def at_hand() -> list[Sample]:
    """Return what is there without asking: the real data, pyannote.audio's own sample, our sample talks."""
    places = [(data_folder() / "audio", "")] if (data_folder() / "audio").is_dir() else []
    package = metadata.distribution("pyannote.audio").locate_file("pyannote/audio/sample")
    places += [(Path(str(package)), ""), (DIALOGUES, "")]
    return [sample for place, _ in places for sample in in_folder(place)]


def flite() -> str | None:
    """Return where the speech synthesiser is; None where it is not installed."""
    return shutil.which("flite")


def spoken(folder: Path, seed: int = 1) -> list[Sample]:
    """Let flite speak a dialogue for each of `CASTS` into a folder: exact words, exact turns, some at once.

    Raises:
        DataError: flite is not installed, or fails.
    """
    chance = np.random.default_rng(seed)
    texts = [read(path).said or () for path in sorted(DIALOGUES.glob("*.ogg"))]
    samples = []
    for number, cast in enumerate(CASTS):
        scripts = [texts[(number + place) % len(texts)] for place in range(len(cast) // 2)]
        script = [
            Said(cast[2 * place + turn % 2], said[turn].text)
            for turn in range(min(map(len, scripts)))
            for place, said in enumerate(scripts)
        ]
        name = f"flite-{'-'.join(cast)}"
        path = folder / f"{name}.wav"
        turns = _speak(script, path, chance)
        samples.append(Sample(name, path, measure(path), tuple(script), tuple(turns)))
    return samples


def _speak(script: Sequence[Said], path: Path, chance: np.random.Generator) -> list[Turn]:
    """Write the script as a recording, and return the turns; pauses within one count as speech."""
    pieces: list[tuple[int, Audio]] = []
    turns: list[Turn] = []
    at = SAMPLE_RATE // 2
    for number, said in enumerate(script):
        voice = _voice(said, path.with_suffix(".part.wav"))
        if number and number % OVERLAPS == 0:
            start = max(pieces[-1][0], at - int(OVERLAP_S * SAMPLE_RATE))
        else:
            start = at + int(chance.uniform(*PAUSE_S) * SAMPLE_RATE)
        pieces.append((start, voice))
        end = start + len(voice)
        turns.append(Turn(start=start / SAMPLE_RATE, end=end / SAMPLE_RATE, speaker=said.speaker or ""))
        at = max(at, end)
    mixed = chance.normal(0, 0.0015, at + SAMPLE_RATE)
    for start, voice in pieces:
        mixed[start : start + len(voice)] += voice
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes((np.clip(mixed, -1, 1) * 32_767).astype("<i2").tobytes())
    return turns


def _voice(said: Said, path: Path) -> Audio:
    """Return what flite says, as loud as everybody, without the silence around it."""
    program = flite()
    if program is None:
        raise DataError("flite is not installed", "install it (Debian: apt-get install flite)")
    command = [program, "-voice", said.speaker or "slt", "-t", said.text, "-o", str(path)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)
    if answer.returncode or not path.exists():
        reason = (answer.stderr or answer.stdout).strip().splitlines()
        raise DataError(
            f"flite cannot speak ({reason[-1] if reason else 'no reason given'})", "see its voices"
        )
    voice = decode(path)
    path.unlink()
    voice = voice * (0.5 / max(1e-6, float(np.abs(voice).max())))
    loud = np.flatnonzero(np.abs(voice) > _LOUD)
    return voice[loud[0] : loud[-1] + 1]


def _lines(path: Path) -> Iterator[str]:
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith(";;"):
            yield line.strip()


def _rttm(line: str, path: Path) -> Turn:
    try:
        _, _, _, start, lasts, _, _, speaker, *_ = line.split()
        return Turn(start=float(start), end=float(start) + float(lasts), speaker=speaker)
    except ValueError as error:
        raise _unreadable(line, path) from error


def _stm(line: str, path: Path) -> tuple[Said, Turn]:
    try:
        _, _, speaker, start, end, *text = line.split()
        words = text[1:] if text and re.fullmatch("<.*>", text[0]) else text
        return Said(speaker, " ".join(words)), Turn(start=float(start), end=float(end), speaker=speaker)
    except ValueError as error:
        raise _unreadable(line, path) from error


def _unreadable(line: str, path: Path) -> DataError:
    return DataError(
        f"{path.name} has a line that cannot be read: {line[:60]!r}", "correct it, or take it away"
    )
