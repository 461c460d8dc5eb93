"""Accuracy and cost of our transcripts with speakers against the bare models, in one run.

    python benchmarks/speech.py --out FILE.json
    python benchmarks/speech.py --audio DIR --preset large-v3-turbo --repeat 3 --out FILE.json

Heard are the recordings of a folder, with what lies beside them (see `speech_samples`); without --audio, what
is at hand: real speech ($GROUNDSWELL_TEST_DATA, pyannote.audio's telephone call), our sample talks, which a
synthesiser spoke, and dialogues that flite speaks now, if it is installed: two to four voices, some at once.
Synthetic speech is clean: its figures say little of real talks, more of whether we lose what the models give.

By: the bare models (faster-whisper and pyannote.audio, as a script after their READMEs: beam 5, voice
activity filter, batches on a GPU, each word to whom most of it belongs); our worker's code,
models.speech.transcriber; whisperX, if --whisperx names the Python of an environment that has it. Each is a
process of its own, with the same models, precision, threads and batches, and hears the first recording once
before it counts. Who goes first alternates.

- wer: words changed, dropped or added (jiwer, after Whisper's English normalisation)
- der: seconds of speech missed, invented or confused (pyannote.metrics, overlapped speech included,
  --collar), by all turns that are heard, also at once. alone: the same where at most one speaks
- cpwer: word errors by speaker, under the best naming
- wrong: words in the turn of one person alone that were given to another, or nobody; wder: the same, of words
  aligned by text instead of time
- rtfx: seconds of audio per second; cpu: processor seconds per second of audio; peak: memory, with the models

Speed is the median of the repetitions of each recording; ratios are of totals, above 1 where we are faster.
When the machine is busy with other things, the ratio of processor time is the steadier one.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from importlib import metadata
from pathlib import Path
from statistics import median
from typing import Any

from platformdirs import user_cache_path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.machine import Meter, describe
from benchmarks.speech_samples import Sample, at_hand, flite, in_folder, spoken
from benchmarks.speech_scores import Count, scored
from benchmarks.speech_systems import BARE, OURS, WHISPERX, Run, System, ask_gpu
from models.bundled_models import prepare
from models.errors import BadInput, ModelUnavailable
from models.speech.decoding import BATCH
from streams.errors import DataError

PRESETS = ("large-v3", "large-v3-turbo")
COMMUNITY = "pyannote/speaker-diarization-community-1"
PRECISION = {"cpu": "int8_float32", "cuda": "float16"}
LIBRARIES = (
    "faster-whisper",
    "ctranslate2",
    "pyannote.audio",
    "pyannote.metrics",
    "jiwer",
    "whisper-normalizer",
)
SPEED, WRONG = 0.95, 0.01
"""The goals: at least so much of the bare models' speed; at most so many words with the wrong speaker."""
MEASURES = ("wer", "der", "der_alone", "missed", "false_alarm", "confused", "cpwer", "wrong_speaker", "wder")

Runs = Mapping[str, Mapping[str, Sequence[Run]]]
"""By system, then by sample: its repetitions."""


def measured(
    systems: Sequence[System], samples: Sequence[Sample], repeat: int
) -> tuple[dict[str, dict[str, list[Run]]], dict[str, float]]:
    """Let every system hear every sample; return that, and how long each took to load and hear the first."""
    first = {system.name: system.hear(samples[0].path).wall_s for system in systems}
    runs: defaultdict[str, dict[str, list[Run]]] = defaultdict(lambda: defaultdict(list))
    turn = 0
    for round_ in range(repeat):
        for sample in samples:
            for place in range(len(systems)):
                system = systems[(turn + place) % len(systems)]
                run = system.hear(sample.path)
                runs[system.name][sample.name].append(run)
                print(
                    f"{sample.name} ({sample.seconds:.0f} s), {round_ + 1} of {repeat}, {system.name}: "
                    f"{run.wall_s:.1f} s",
                    file=sys.stderr,
                )
            turn += 1
    return runs, first


def report(samples: Sequence[Sample], runs: Runs, collar_s: float) -> dict[str, Any]:
    """Return every figure: of each sample, of all together, and the ratios against the bare models."""
    counts = {
        system: {sample.name: scored(sample, heard[sample.name][0].heard, collar_s) for sample in samples}
        for system, heard in runs.items()
    }
    seconds = sum(sample.seconds for sample in samples)
    systems = {}
    for name, heard in runs.items():
        every = [run for repetitions in heard.values() for run in repetitions]
        busy = [run.gpu_busy for run in every if run.gpu_busy is not None]
        systems[name] = {
            **_shares(counts[name].values()),
            "rtfx": seconds / _total(heard, "wall_s"),
            "cpu": _total(heard, "cpu_s") / seconds,
            "peak_mb": max(run.peak_mb for run in every),
            "gpu_busy": sum(busy) / len(busy) if busy else None,
            "same_each_time": all(
                run.heard == repetitions[0].heard for repetitions in heard.values() for run in repetitions
            ),
        }
    return {
        "systems": systems,
        "against_bare": {name: ratios(runs[BARE], heard) for name, heard in runs.items() if name != BARE},
        "goals": goals(systems, ratios(runs[BARE], runs[OURS])["speed"]),
        "samples": {
            sample.name: {
                "seconds": sample.seconds,
                **{
                    name: {
                        **_shares([counts[name][sample.name]]),
                        "speakers": len({turn.speaker for turn in heard[sample.name][0].heard.turns}),
                        "wall_s": [run.wall_s for run in heard[sample.name]],
                        "cpu_s": [run.cpu_s for run in heard[sample.name]],
                        "refused": heard[sample.name][0].refused,
                    }
                    for name, heard in runs.items()
                },
            }
            for sample in samples
        },
    }


def ratios(bare: Mapping[str, Sequence[Run]], heard: Mapping[str, Sequence[Run]]) -> dict[str, Any]:
    """Return how much faster than the bare models a system is, and the same of each repetition alone."""
    rounds = range(min(len(each) for each in heard.values()))
    each = [
        sum(bare[name][number].wall_s for name in bare) / sum(heard[name][number].wall_s for name in bare)
        for number in rounds
    ]
    return {
        "speed": _total(bare, "wall_s") / _total(heard, "wall_s"),
        "speed_of_each_round": each,
        "cpu": _total(bare, "cpu_s") / _total(heard, "cpu_s"),
        "peak": max(run.peak_mb for runs in heard.values() for run in runs)
        / max(run.peak_mb for runs in bare.values() for run in runs),
    }


def goals(systems: Mapping[str, Mapping[str, Any]], speed: float) -> dict[str, dict[str, Any]]:
    """Return what was wanted of us, what came out and whether that is enough; `met` None: not measured."""
    ours, bare = systems[OURS], systems[BARE]
    wanted = {
        "speed": (speed, SPEED, "at least"),
        "wer": (ours["wer"], bare["wer"], "at most"),
        "der": (ours["der"], bare["der"], "at most"),
        "wrong_speaker": (ours["wrong_speaker"], WRONG, "at most"),
    }
    found: dict[str, dict[str, Any]] = {}
    for name, (value, goal, side) in wanted.items():
        known = value is not None and goal is not None
        met = (value >= goal if side == "at least" else value <= goal) if known else None
        found[name] = {"value": value, side: goal, "met": met}
    return found


def _total(heard: Mapping[str, Sequence[Run]], what: str) -> float:
    return float(sum(median(getattr(run, what) for run in runs) for runs in heard.values()))


def _shares(counts: Iterable[Mapping[str, Count]]) -> dict[str, float | None]:
    counts = list(counts)
    return {
        name: sum((each[name] for each in counts if name in each), Count(0, 0)).share for name in MEASURES
    }


def show(found: Mapping[str, Any]) -> None:
    """Print the figures as tables."""
    names = ("wer", "der", "der_alone", "cpwer", "wrong_speaker", "wder")
    heads = ("WER", "DER", "alone", "cpWER", "wrong", "WDER")
    print(f"{'':44}" + "".join(f"{head:>9}" for head in (*heads, "RTFx", "CPU", "peak MB")))
    for sample, each in found["samples"].items():
        for system in found["systems"]:
            label = f"{sample[:28]:29}{system:15}"
            speed = (
                each["seconds"] / median(each[system]["wall_s"]),
                median(each[system]["cpu_s"]) / each["seconds"],
            )
            print(
                label
                + "".join(map(_cell, (each[system][name] for name in names)))
                + "{:9.1f}{:9.3f}".format(*speed)
            )
    for system, each in found["systems"].items():
        print(
            f"{'all':29}{system:15}"
            + "".join(map(_cell, (each[name] for name in names)))
            + f"{each['rtfx']:9.1f}{each['cpu']:9.3f}{each['peak_mb']:9.0f}"
        )
    for system, each in found["against_bare"].items():
        low, high = min(each["speed_of_each_round"]), max(each["speed_of_each_round"])
        print(
            f"{system} / {BARE}: speed {each['speed']:.2f} ({low:.2f} to {high:.2f}), "
            f"by processor time {each['cpu']:.2f}, memory {each['peak']:.2f}"
        )
    for name, each in found["goals"].items():
        value, (side, goal), met = each["value"], list(each.items())[1], each["met"]
        said = (
            "not measured" if met is None else f"{value:.4f}, {side} {goal:.4f}: {'met' if met else 'MISSED'}"
        )
        print(f"goal {name}: {said}")


def _cell(value: float | None) -> str:
    return f"{'-':>9}" if value is None else f"{100 * value:8.2f}%"


def offer(parser: argparse.ArgumentParser) -> None:
    """Let the command line say what `options` reads."""
    parser.add_argument("--models", nargs=2, metavar=("WHISPER", "DIARIZATION"), help="folders, or hub names")
    parser.add_argument("--preset", choices=PRESETS, help=f"that Whisper and {COMMUNITY}, on a GPU")
    parser.add_argument("--device", choices=list(PRECISION), help="cpu, or cuda with a preset")
    parser.add_argument(
        "--compute-type", help=f"of CTranslate2 ({PRECISION['cpu']}; GPU: {PRECISION['cuda']})"
    )
    parser.add_argument("--threads", type=int, default=max(1, (os.cpu_count() or 1) // 2))
    parser.add_argument("--language", help="ISO 639-1; otherwise each system finds out")


def options(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return which models all systems use, and how.

    Raises:
        DataError: a GPU is wanted, and there is none.
        ModelUnavailable: the packaged models are not installed.
    """
    device = arguments.device or ("cuda" if arguments.preset else "cpu")
    if device == "cuda" and not ask_gpu("name"):
        raise DataError("nvidia-smi shows no GPU", "run it on a machine that has one, or with --device cpu")
    if arguments.models:
        whisper, diarization = arguments.models
    elif arguments.preset:
        whisper, diarization = arguments.preset, COMMUNITY
    else:
        cache = os.environ.get("GROUNDSWELL_MODELS")
        models = prepare(Path(cache) if cache else user_cache_path("groundswell") / "models")
        whisper, diarization = str(models.whisper), str(models.diarization)
    return {
        "whisper": whisper,
        "diarization": diarization,
        "device": device,
        "compute_type": arguments.compute_type or PRECISION[device],
        "threads": arguments.threads,
        "language": arguments.language,
        "batch": BATCH,
        "token": os.environ.get("HF_TOKEN"),
    }


def gather(arguments: argparse.Namespace, folder: Path) -> list[Sample]:
    """Return what is to be heard; dialogues are spoken into the folder."""
    if arguments.audio:
        samples = [sample for place in arguments.audio for sample in in_folder(place)]
    else:
        samples = at_hand()
        if flite():
            samples += spoken(folder)
        else:
            print(
                "flite is not installed: no dialogues are made (Debian: apt-get install flite)",
                file=sys.stderr,
            )
    samples = [sample for sample in samples if arguments.only in sample.name]
    if not samples:
        raise DataError(
            f"no recording has {arguments.only!r} in its name", "see the names in a run without --only"
        )
    return samples


def main() -> int:
    """Measure, show, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--audio", type=Path, action="append", help="a folder of recordings; may be repeated")
    parser.add_argument("--only", default="", help="recordings with this in their names only")
    parser.add_argument("--out", type=Path, help="write the results to this file as JSON")
    offer(parser)
    parser.add_argument("--repeat", type=int, default=1, help="how often each recording is heard (1)")
    parser.add_argument("--collar", type=float, default=0.0, help="of DER: seconds around a boundary (0)")
    parser.add_argument(
        "--whisperx", metavar="PYTHON", help="the interpreter of an environment with whisperX"
    )
    arguments = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
            chosen = options(arguments)
            samples = gather(arguments, Path(scratch))
            systems = [stack.enter_context(System(name, chosen)) for name in (BARE, OURS)]
            if arguments.whisperx:
                systems.append(stack.enter_context(System(WHISPERX, chosen, arguments.whisperx)))
            with Meter(os.getpid()) as meter:
                runs, first = measured(systems, samples, arguments.repeat)
            found = report(samples, runs, arguments.collar)
            show(found)
            about = {
                "machine": describe(),
                "libraries": {name: metadata.version(name) for name in LIBRARIES},
                "gpu": dict(zip(("name", "driver"), ask_gpu("name", "driver_version"), strict=False)) or None,
                **{
                    name: value
                    for name, value in chosen.items()
                    if name not in ("token", "whisper", "diarization")
                },
                "models": [Path(chosen[name]).name for name in ("whisper", "diarization")],
                "collar_s": arguments.collar,
                "repeat": arguments.repeat,
                "first_s": first,
                "elsewhere_cores": round(meter.elsewhere_cores, 2),
            }
            if arguments.out:
                arguments.out.write_text(json.dumps(about | found, indent=1) + "\n", encoding="utf-8")
    except (BadInput, DataError, ModelUnavailable, OSError) as error:
        print(f"cannot measure: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
