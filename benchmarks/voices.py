"""Separation of people by voice: embeddings of the speakers in both halves of recordings, compared in pairs.

    python benchmarks/voices.py [--audio FOLDER …] --out FILE.json

A speaker of one half who is one of the other is found by `.rttm` turns beside the recording: the one whom
most of their time belongs to. Two are the same person where they have the same name in turns; recordings
without turns are left out. The project's sample talks are spoken by the same two machine voices under other
names, so no two of them are compared.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("OMP_NUM_THREADS", "1")

from benchmarks.machine import ROOT
from benchmarks.speech_samples import read
from benchmarks.topics.streams import data_folder
from models.audio.samples import SAMPLE_RATE, decode
from models.bundled_models import prepare
from models.speakers.diarization import Diarization, Diarizer
from models.speakers.known_voices import ALIKE, similarity
from models.transcripts.transcript import Turn

SPOKEN = ROOT / "agents" / "cli" / "demo" / "audio"
SHARED = data_folder() / "audio"
MEDIA = (".flac", ".ogg", ".wav", ".mp3")


class Heard(NamedTuple):
    """A speaker of half a recording: who it is, and of what collection, in which voices may come again."""

    person: str
    recording: str
    collection: str
    embedding: tuple[float, ...]


def person(speaker: str, found: Diarization, turns: Sequence[Turn], offset_s: float) -> str:
    """Return to whom most of a speaker's time belongs; empty where it is nobody's."""
    shared: dict[str, float] = {}
    for mine in found.turns:
        for turn in turns if mine.speaker == speaker else ():
            overlap = min(mine.end + offset_s, turn.end) - max(mine.start + offset_s, turn.start)
            if overlap > 0:
                shared[turn.speaker] = shared.get(turn.speaker, 0.0) + overlap
    return max(shared, key=lambda name: shared[name], default="")


def heard(diarizer: Diarizer, path: Path) -> Iterator[Heard]:
    """Yield the speakers of each half of a recording."""
    turns, audio = read(path).turns or (), decode(path)
    middle = len(audio) // 2
    for part, offset in ((audio[:middle], 0), (audio[middle:], middle)):
        found = diarizer.diarize(part)
        for voice in found.voices:
            name = person(voice.speaker, found, turns, offset / SAMPLE_RATE)
            if name and voice.embedding:
                by = "the sample talks" if path.parent == SPOKEN else path.stem
                yield Heard(f"{path.stem}: {name}", path.stem, by, voice.embedding)


def compared(voices: Sequence[Heard]) -> dict[str, Any]:
    """Return the cosines of every two, of one person and of two, sorted."""
    same, different = [], []
    for one, other in combinations(voices, 2):
        if one.collection == other.collection and one.recording != other.recording:
            continue
        cosine = round(similarity(one.embedding, other.embedding), 3)
        (same if one.person == other.person else different).append(cosine)
    return {
        "same": sorted(same),
        "different": sorted(different),
        "missed": sum(cosine < ALIKE for cosine in same),
        "confused": sum(cosine >= ALIKE for cosine in different),
    }


def main() -> int:
    """Hear, compare, print, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--audio", type=Path, nargs="+", default=[SPOKEN, SHARED], metavar="FOLDER")
    parser.add_argument("--models", type=Path, default=Path.home() / ".cache" / "groundswell" / "models")
    parser.add_argument("--out", type=Path, help="write the figures here as JSON")
    arguments = parser.parse_args()
    paths = [
        path
        for folder in arguments.audio
        for path in sorted(folder.glob("*"))
        if path.suffix in MEDIA and path.with_suffix(".rttm").exists()
    ]
    if not paths:
        print("error: no recording with an .rttm beside it: name another --audio FOLDER", file=sys.stderr)
        return 2
    diarizer = Diarizer(prepare(arguments.models).diarization, device="cpu")
    voices = [voice for path in paths for voice in heard(diarizer, path)]
    found = compared(voices)
    print(
        f"{len(voices)} voices of {len({voice.person for voice in voices})} people in {len(paths)} recordings"
    )
    for name in ("same", "different"):
        cosines = found[name]
        print(f"{name:9} {len(cosines):4} pairs, cosine {cosines[0]:.2f} to {cosines[-1]:.2f}")
    print(f"at {ALIKE}: {found['missed']} missed, {found['confused']} confused")
    if arguments.out:
        arguments.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
