"""Cost of a recording of many hours: memory above the models, time, and confusion of speakers.

    python benchmarks/hours.py [--hours 3] --out FILE.json

What is at hand of real speech and of our sample talks is strung together, in a random order with pauses, as
long as asked, and heard by our worker's code as benchmarks/speech.py lets it. A recording keeps its people in
every repetition, so who they are is known: each is the speaker with most of their seconds.

- above_mb: the most memory, what is mapped included, above the most for a first, short recording; goal: 2,000
- kept: share of the seconds that a person speaks alone which that person's speaker has
- speakers: how many were found; people: how many there are. Those of the sample talks are machine voices.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import wave
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.machine import describe
from benchmarks.speech import offer, options
from benchmarks.speech_child import Options
from benchmarks.speech_samples import Sample, at_hand
from benchmarks.speech_scores import Heard
from benchmarks.speech_systems import OURS, System
from models.audio.samples import SAMPLE_RATE, Audio, decode
from models.errors import BadInput, ModelUnavailable
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


def kept(found: Heard, places: Sequence[tuple[float, Sample]], hours: float) -> tuple[float, int]:
    """Return the share of people's seconds that their speaker has, and how many people there are."""
    step, seconds = 0.1, Counter[tuple[tuple[str, str], str]]()
    speaking = [set[str]() for _ in range(int(hours * 3600 / step) + 1)]
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


def measured(hours: float, chosen: Options, scratch: Path) -> dict[str, Any]:
    """Let one process hear a short recording, and then hours, which are written into a folder.

    `chosen`: what `benchmarks.speech.options` returns.

    Raises:
        DataError: the process ended before it answered.
    """
    samples = [sample for sample in at_hand() if sample.turns]
    recording, places = strung(samples, hours)
    long = scratch / "hours.wav"
    with wave.open(str(long), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes((recording * 32_767).astype("<i2").tobytes())
    with System(OURS, chosen) as system:
        first = system.hear(samples[0].path)
        run = system.hear(long)
    share, people = kept(run.heard, places, hours)
    return {
        "hours": hours,
        "threads": chosen["threads"],
        "first_mb": first.peak_mb,
        "above_mb": run.peak_mb - first.peak_mb,
        "goal_mb": GOAL_MB,
        "rtfx": hours * 3600 / run.wall_s,
        "cpu": run.cpu_s / (hours * 3600),
        "words": len(run.heard.words),
        "speakers": len({turn.speaker for turn in run.heard.turns}),
        "people": people,
        "kept": share,
    }


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hours", type=float, default=3.0, help="how long the recording is to be (3)")
    offer(parser)
    parser.add_argument("--out", type=Path, help="write the figures here as JSON")
    arguments = parser.parse_args()
    if arguments.hours <= 0:
        parser.error("argument --hours: a recording lasts longer than nothing")
    try:
        with tempfile.TemporaryDirectory() as scratch:
            found = measured(arguments.hours, options(arguments), Path(scratch))
    except (BadInput, DataError, ModelUnavailable, OSError) as error:
        print(f"cannot measure: {error}", file=sys.stderr)
        return 1
    print(
        f"{found['hours']:g} h: {found['above_mb']:,.0f} MB above the first's {found['first_mb']:,.0f} "
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
