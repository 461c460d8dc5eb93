"""What a recording of many hours costs: memory above the loaded models, time, and whether people stay apart.

    python benchmarks/hours.py [--hours 3] [--threads 1] --out FILE.json

What is at hand of real speech and of our sample talks is strung together, in a random order with pauses, as
long as asked; words and speakers of it are found by our worker's code, in a process of its own that maps the
decoded recording, as the worker's does. A recording keeps its people in every repetition, so who they are is
known: each is the speaker with most of their seconds.

- above_mb: the most memory, what is mapped included, above that after a first recording; goal: 2,000
- kept: share of the seconds that a person speaks alone which that person's speaker has
- speakers: how many were found; people: how many there are. Those of the sample talks are machine voices.

An hour of speech takes two cores about a quarter of an hour.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from platformdirs import user_cache_path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.machine import Meter, describe
from benchmarks.speech_samples import Sample, at_hand
from models import audio
from models.audio import SAMPLE_RATE, Audio, decode
from models.errors import BadInput, ModelUnavailable
from models.packaged import prepare
from models.transcript import Transcript
from streams.errors import DataError

GOAL_MB = 2000
PAUSE_S = 1.0


def strung(
    samples: Sequence[Sample], hours: float, seed: int = 1
) -> tuple[Audio, list[tuple[float, Sample]]]:
    """String recordings together in random order; float32 [n] at 16 kHz, and at which second each begins."""
    draw = random.Random(seed)
    heard = {sample.name: decode(sample.path) for sample in samples}
    pause = np.zeros(int(PAUSE_S * SAMPLE_RATE), np.float32)
    parts: list[Audio] = []
    places: list[tuple[float, Sample]] = []
    length = 0
    while length < hours * 3600 * SAMPLE_RATE:
        for sample in draw.sample(list(samples), len(samples)):
            places.append((length / SAMPLE_RATE, sample))
            parts += [heard[sample.name], pause]
            length += len(heard[sample.name]) + len(pause)
    return np.concatenate(parts)[: int(hours * 3600 * SAMPLE_RATE)], places


def kept(found: Transcript, places: Sequence[tuple[float, Sample]]) -> tuple[float, int]:
    """Return the share of people's seconds that their speaker has, and how many people there are."""
    step, seconds = 0.1, Counter[tuple[tuple[str, str], str]]()
    speaking = [set[str]() for _ in range(int(found.duration_s / step) + 1)]
    for turn in found.turns:
        for moment in range(int(turn.start / step), int(turn.end / step)):
            speaking[moment].add(turn.speaker)
    for begin, sample in places:
        turns = sample.turns or ()
        for turn in turns:
            for moment in range(int((begin + turn.start) / step), int((begin + turn.end) / step)):
                at = moment * step - begin
                alone = sum(other.start <= at < other.end for other in turns) == 1
                if alone and moment < len(speaking):
                    for speaker in speaking[moment] or {""}:
                        seconds[(sample.name, turn.speaker), speaker] += 1
    people: dict[tuple[str, str], Counter[str]] = {}
    for (person, speaker), count in seconds.items():
        people.setdefault(person, Counter())[speaker] += count
    own = sum(max(of.values()) for of in people.values())
    return own / max(1, sum(seconds.values())), len(people)


def listen(pipe: Connection, whisper: Path, diarization: Path, threads: int) -> None:
    """In a process of its own: transcribe what is sent, until None is, or the parent was killed."""
    from models.speech import Done, SpeechModels

    threading.Thread(target=_end_with_parent, daemon=True).start()
    speech = SpeechModels(whisper, diarization, device="cpu", threads=threads)
    while (decoded := pipe.recv()) is not None:

        def tell(done: Done) -> None:
            print(f"\r{done.step} {done.done_s:,.0f} of {done.total_s:,.0f} s", end="", file=sys.stderr)

        found = speech.listen(audio.kept(decoded), decoded.name, tell=tell)
        print(file=sys.stderr)
        pipe.send(found)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def measured(hours: float, threads: int, scratch: Path) -> dict[str, Any]:
    """Transcribe a short recording, and then hours, in one process; both lie decoded in a folder.

    Raises:
        DataError: the process ended before it answered.
    """
    samples = [sample for sample in at_hand() if sample.turns]
    first, long = scratch / "first.f32", scratch / "long.f32"
    audio.decode_to(samples[0].path, first)
    recording, places = strung(samples, hours)
    recording.tofile(long)
    models = prepare(user_cache_path("groundswell") / "models")
    here, there = multiprocessing.get_context("spawn").Pipe()
    worker = multiprocessing.get_context("spawn").Process(
        target=listen, args=(there, models.whisper, models.diarization, threads), daemon=True
    )
    worker.start()
    there.close()
    try:
        here.send(first)
        here.recv()
        loaded_mb = psutil.Process(worker.pid).memory_info().rss / 1e6
        with Meter(worker.pid or 0, sample_s=0.5) as meter:
            here.send(long)
            found: Transcript = here.recv()
        here.send(None)
    except EOFError as error:
        raise DataError(
            "the transcribing process ended", "see above; has the machine enough memory?"
        ) from error
    finally:
        worker.join(10)
        worker.kill()
    share, people = kept(found, places)
    return {
        "hours": hours,
        "threads": threads,
        "loaded_mb": loaded_mb,
        "above_mb": meter.peak_mb - loaded_mb,
        "goal_mb": GOAL_MB,
        "rtfx": hours * 3600 / meter.wall_s,
        "cpu": meter.cpu_s / (hours * 3600),
        "elsewhere_cores": round(meter.elsewhere_cores, 2),
        "words": sum(len(segment.words) for segment in found.segments),
        "speakers": len({turn.speaker for turn in found.turns}),
        "people": people,
        "kept": share,
    }


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hours", type=float, default=3.0, help="how long the recording is to be (3)")
    parser.add_argument("--threads", type=int, default=1, help="processor threads of each model (1)")
    parser.add_argument("--out", type=Path, help="write the figures here as JSON")
    arguments = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory() as scratch:
            found = measured(arguments.hours, arguments.threads, Path(scratch))
    except (BadInput, DataError, ModelUnavailable, OSError) as error:
        print(f"cannot measure: {error}", file=sys.stderr)
        return 1
    print(
        f"{found['hours']:g} h: {found['above_mb']:,.0f} MB above the models' {found['loaded_mb']:,.0f} "
        f"(goal {GOAL_MB:,}), {found['rtfx']:.1f} x real time, "
        f"{found['cpu']:.3f} processor seconds a second; {found['words']:,} words"
    )
    print(
        f"{found['speakers']} speakers for {found['people']} people; "
        f"of what each says alone, {found['kept']:.1%} is their speaker's"
    )
    if arguments.out:
        arguments.out.write_text(
            json.dumps({"machine": describe()} | found, indent=1) + "\n", encoding="utf-8"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
