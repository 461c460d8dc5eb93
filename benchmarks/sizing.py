"""How many workers, GPUs, bytes and studies a number of talks a day takes, from what was measured.

    python benchmarks/pipeline.py --out REPORT.json
    python benchmarks/sizing.py REPORT.json --talks-a-day 1000000 --speech-speed 40

An agent's seconds a talk are those that the report of `pipeline.py` has: its handling and settling, while all
agents shared one machine. One worker is counted as working for `--busy` of a day. Agents of which one process
works at a time (`SINGLE`) limit a study; more talks take several studies, each with its own topics. The
seconds of `transcribe` are the talk's length by `--speech-speed`, the multiple of real time that
`benchmarks/speech.py` measures on the machine in question. Not in it: downloads, the network, replication.

The table is Markdown, on stdout; a mean talk is that of the report unless --minutes says otherwise.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.filesize import decimal

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from streams.errors import DataError

DAY_S = 86_400.0
SINGLE = frozenset({"discover", "caption", "track", "store", "alert", "label"})
"""Agents of which one process works at a time in a study; others are on standby (docs/how-to/cluster.md)."""
AUDIO_BYTES_S = 128_000 / 8
"""Bytes of a second of audio at 128 kbit/s, as in docs/how-to/operate.md."""


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked of a cluster.

    Attributes:
        talks_a_day: talks that pass screening, each day.
        minutes: mean length of a talk.
        speech_speed: multiple of real time at which one worker transcribes.
        busy: share of a day that a worker works, 0 to 1; the rest absorbs peaks and restarts.
    """

    talks_a_day: float
    minutes: float
    speech_speed: float
    busy: float


@dataclass(frozen=True, slots=True)
class Need:
    """What one agent needs: seconds a talk, and workers."""

    agent: str
    seconds: float
    workers: int


def read(path: Path) -> dict[str, Any]:
    """Return a report of `pipeline.py`.

    Raises:
        DataError: it cannot be read, is something else, or nothing was measured.
    """
    cure = "make it: python benchmarks/pipeline.py --out FILE.json"
    try:
        report: dict[str, Any] = json.loads(path.read_text())
        measured = report["talks"] > 0 and report["hours"] > 0 and report["stages"] and report["bytes"]
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read ({error})", cure) from error
    except (KeyError, TypeError) as error:
        raise DataError(f"{path} is not a report of benchmarks/pipeline.py", cure) from error
    if not measured:
        raise DataError(f"{path} is a report of no talks", cure)
    return report


def seconds_of(report: Mapping[str, Any], load: Load) -> dict[str, float]:
    """Return each agent's seconds a talk, in proportion to its length, in the order of the path."""
    seconds = {
        name: _longer(report, load) * (stage["handling_s"] + stage["settling_s"]) / report["talks"]
        for name, stage in report["stages"].items()
    }
    seconds["transcribe"] = 60 * load.minutes / load.speech_speed
    return {name: each for name, each in seconds.items() if each > 0}


def _longer(report: Mapping[str, Any], load: Load) -> float:
    """Return how much longer a talk is than one of the report."""
    return load.minutes / minutes(report)


def minutes(report: Mapping[str, Any]) -> float:
    """Return the mean length of the report's talks."""
    return float(60 * report["hours"] / report["talks"])


def needs(seconds: Mapping[str, float], load: Load) -> list[Need]:
    """Return what each agent needs, in the order of the path."""
    return [
        Need(agent, each, math.ceil(load.talks_a_day * each / (DAY_S * load.busy)))
        for agent, each in seconds.items()
    ]


def studies(found: list[Need]) -> tuple[int, str]:
    """Return the number of studies that the load has to be divided into, and the agent that says so."""
    most = max((need for need in found if need.agent in SINGLE), key=lambda need: need.workers)
    return most.workers, most.agent


def lines(report: Mapping[str, Any], load: Load) -> Iterator[str]:
    """Yield the table and the sums below it."""
    found = needs(seconds_of(report, load), load)
    divided, limit = studies(found)
    yield "| agent | seconds a talk | talks an hour, one worker | workers |"
    yield "| --- | ---: | ---: | ---: |"
    for need in found:
        workers = f"1 in each of {divided:,} studies" if need.agent in SINGLE else f"{need.workers:,}"
        an_hour = 3600 * load.busy / need.seconds
        yield f"| `{need.agent}` | {need.seconds:,.3g} | {an_hour:,.0f} | {workers} |"
    apart = [need for need in found if need.agent not in SINGLE]
    partitions = math.ceil(max(need.workers for need in apart) / divided)
    yield ""
    yield f"- studies: {divided:,}; of the agents with one process, `{limit}` has the most to do"
    yield f"- partitions of each study: {partitions:,} or more (`GROUNDSWELL_PARTITIONS`)"
    for name, held in report["bytes"].items():
        grown = held / report["talks"] * _longer(report, load) * load.talks_a_day
        yield f"- {name}: {decimal(int(grown))} a day"
    audio = load.talks_a_day * load.minutes * 60 * AUDIO_BYTES_S
    yield f"- audio until it is transcribed: {decimal(int(audio))} a day"


def main(arguments: list[str]) -> int:
    """Print the table; return the exit code."""
    from agents.cli.console import exit_code_of, say

    options = _options(arguments)
    try:
        report = read(options.report)
        length = options.minutes or minutes(report)
        load = Load(options.talks_a_day, length, options.speech_speed, options.busy)
        say("\n".join(lines(report, load)))
    except Exception as error:
        return exit_code_of(error)
    return 0


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="sizing.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("report", type=Path, help="report of benchmarks/pipeline.py")
    parser.add_argument(
        "--talks-a-day", type=_positive, default=1e6, help="talks that pass screening (1000000)"
    )
    parser.add_argument("--speech-speed", type=_positive, required=True, help="times real time, one worker")
    parser.add_argument("--minutes", type=_positive, help="mean length of a talk (default: the report's)")
    parser.add_argument("--busy", type=_share, default=0.7, help="share of a day that is worked (0.7)")
    return parser.parse_args(arguments)


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is not a number above 0")
    return value


def _share(text: str) -> float:
    value = _positive(text)
    if value > 1:
        raise argparse.ArgumentTypeError(f"{text} is more than 1")
    return value


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
