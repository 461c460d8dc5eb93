"""A year of uploads in about an hour, with faults: do memory, open files and disk stay flat?

python benchmarks/soak.py [--uploads 5000] [--words 250] [--weeks 52] [--kills 4] [--talks FILE …] [--out F]

An upload is a passage of a real talk. `groundswell run` gets a week of them at a time, as fast as it stores
them, dated over a year; a reader opens its pages meanwhile. What goes wrong:

- in the first half of the year the process is killed --kills times (SIGKILL) in the middle of a week, at a
  moment drawn from --seed: its broker and the whole log go with it;
- in every week without a kill something arrives that is no event;
- every fourth week the broker stands still (SIGSTOP) for 15 seconds.

The second half passes in one process, so that what it gathers is seen. Reported: talks and paragraphs stored
against those handed in; month by month the memory, open files and threads of the process and its broker, and
the bytes and files of database and blobs; how long each start took; and how much memory grew in the second
half for each thousand talks. Only the dates of the talks are simulated: what waits for a time of day, or for
days, happens as often as in an hour. GROUNDSWELL_* settings apply, save those that say where a study is kept.
The table is on stdout, the report in --out; progress is on stderr.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from agents.cli.console import exit_code_of, tell
from benchmarks.machine import describe, held
from benchmarks.study import RunningStudy, finished, settings_in
from benchmarks.talks import default_file, first_talks
from streams.errors import DataError
from streams.kafka.admin import Cluster
from streams.kafka.topics import TRANSCRIPTS_READY
from streams.settings import Settings

BEGIN = datetime(2025, 1, 6, 9, tzinfo=UTC)
DAYS = 364
SHOWS = ("practicalai", "gotime", "shipit", "jsparty")
"""Shows whose talks are cut up, in turn, where no file is named."""
PAUSE_S = 15.0
PAUSED_WEEKS = 4
READ = ("/", "/trends", "/topics", "/talks", "/alerts", "/search?q=kubernetes", "/system")
"""Pages that a reader opens each week, each time for another period."""
MEASURED = ("memory_mb", "broker_mb", "files", "threads", "database_mb", "database_files", "blobs_mb")


@dataclass(frozen=True, slots=True)
class Sample:
    """What there was at the end of a week.

    Attributes:
        start: which start of the process it belongs to, from 0.
        seconds: that the week took.
        memory_mb, broker_mb: resident sets of the process with its other children, and of the broker.
        files: descriptors that the process has open.
        database_mb, database_files: of ClickHouse's folder, and blobs_mb of the blob store.
    """

    week: int
    start: int
    talks: int
    paragraphs: int
    topics: int
    seconds: float
    memory_mb: float
    broker_mb: float
    files: int
    threads: int
    database_mb: float
    database_files: int
    blobs_mb: float


def passages(records: Sequence[bytes], words: int) -> Iterator[dict[str, Any]]:
    """Yield talks of at least so many words, cut from longer ones between segments, without their rests."""
    for line in records:
        talk = json.loads(line)
        part: list[dict[str, Any]] = []
        count = number = 0
        for segment in talk["segments"]:
            part.append(segment)
            count += len(segment["text"].split())
            if count >= words:
                yield talk | {"id": f"{talk['id']}:{number}", "segments": part, "words": count}
                part, count, number = [], 0, number + 1


def uploads(files: Sequence[Path], count: int, words: int) -> list[dict[str, Any]]:
    """Return so many passages of the files in turn, dated evenly over the year.

    Raises:
        DataError: there are not so many, or a file is no file of talks.
    """
    shows = [passages(first_talks(path, sys.maxsize), words) for path in files]
    found = list(islice(_in_turn(shows), count))
    if len(found) < count:
        raise DataError(
            f"there are only {len(found)} passages of {words} words in these talks",
            "say --uploads or --words with a smaller number, or give more --talks",
        )
    pace = timedelta(days=DAYS) / count
    return [each | {"published_at": (BEGIN + pace * number).isoformat()} for number, each in enumerate(found)]


def _in_turn(shows: list[Iterator[dict[str, Any]]]) -> Iterator[dict[str, Any]]:
    while shows:
        for show in list(shows):
            try:
                yield next(show)
            except StopIteration:
                shows.remove(show)


def growth(samples: Sequence[Sample], name: str) -> float:
    """Return by how much a value grew for each thousand talks, by least squares."""
    values = [float(getattr(sample, name)) for sample in samples]
    slope, _ = statistics.linear_regression([sample.talks / 1000 for sample in samples], values)
    return round(slope, 2)


class Soak:
    """Lets the year pass."""

    def __init__(
        self, settings: Settings, talks: list[dict[str, Any]], weeks: int, kills: int, seed: int
    ) -> None:
        self.settings = settings
        self.random = random.Random(seed)
        size = -(-len(talks) // weeks)
        self.weeks = [talks[begin : begin + size] for begin in range(0, len(talks), size)]
        self.killed_in = {(kill + 1) * len(self.weeks) // 2 // kills - 1 for kill in range(kills)}
        self.handed = self.nonsense = 0
        self.stored = 0
        self.samples: list[Sample] = []
        self.starts: list[float] = []

    def run(self) -> None:
        """Run from the first to the last week.

        Raises:
            Unavailable: the study did not start, stopped, or went no further.
        """
        week = 0
        while week < len(self.weeks):
            with RunningStudy(self.settings) as study:
                self.starts.append(round(study.startup_s, 1))
                tell(f"week {week + 1} of {len(self.weeks)}: ready after {study.startup_s:.0f} s")
                stored_before = finished(study.until_stored(0))
                while week < len(self.weeks):
                    killed = week in self.killed_in
                    self._week(study, week, stored_before, killed)
                    week += 1
                    if killed:
                        break
        with RunningStudy(self.settings) as study:
            self.starts.append(round(study.startup_s, 1))
            self.stored = finished(study.until_stored(self.handed, dead=False))

    def _week(self, study: RunningStudy, week: int, before: int, killed: bool) -> None:
        began = time.monotonic()
        self.handed += self._hand_in(study, week)
        if killed:
            time.sleep(self.random.uniform(1, 10))
            os.killpg(study.pid, signal.SIGKILL)
            return
        self._send_nonsense(study)
        if week % PAUSED_WEEKS == PAUSED_WEEKS - 1:
            self._pause_broker(study)
        self._read(study)
        status = study.until_stored(self.handed, before, dead=False)
        self.samples.append(self._look(study, week, status, time.monotonic() - began))

    def _hand_in(self, study: RunningStudy, week: int) -> int:
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
            file.writelines(f"{json.dumps(talk)}\n" for talk in self.weeks[week])
            file.flush()
            return study.hand_in(Path(file.name))

    def _send_nonsense(self, study: RunningStudy) -> None:
        with Cluster(self.settings, study.running.broker) as cluster:
            self.nonsense += 1
            cluster.send_raw(TRANSCRIPTS_READY, None, b"nonsense %d" % self.nonsense)

    def _pause_broker(self, study: RunningStudy) -> None:
        broker = _broker(psutil.Process(study.pid))
        broker.suspend()
        time.sleep(PAUSE_S)
        broker.resume()

    def _read(self, study: RunningStudy) -> None:
        first = f"2025-{self.random.randint(1, 12):02}"
        with httpx.Client(base_url=study.running.url, trust_env=False, timeout=120) as reader:
            for path in READ:
                join = "&" if "?" in path else "?"
                reader.get(f"{path}{join}first={first}").raise_for_status()

    def _look(self, study: RunningStudy, week: int, status: dict[str, Any], seconds: float) -> Sample:
        process = psutil.Process(study.pid)
        broker = _broker(process)
        others = [child for child in process.children(recursive=True) if child.pid != broker.pid]
        memory = process.memory_info().rss
        for child in others:
            with suppress(psutil.Error):
                memory += child.memory_info().rss
        database, files = held(self.settings.database_folder)
        return Sample(
            week=week + 1,
            start=len(self.starts) - 1,
            talks=finished(status),
            paragraphs=status["paragraphs"],
            topics=status["topics"],
            seconds=round(seconds, 1),
            memory_mb=round(memory / 1e6, 1),
            broker_mb=round(broker.memory_info().rss / 1e6, 1),
            files=process.num_fds(),
            threads=process.num_threads(),
            database_mb=round(database / 1e6, 1),
            database_files=files,
            blobs_mb=round(held(self.settings.study_home / "blobs")[0] / 1e6, 1),
        )


def _broker(process: psutil.Process) -> psutil.Process:
    (broker,) = (child for child in process.children() if "broker" in child.cmdline()[1:2])
    return broker


def report(soak: Soak) -> dict[str, Any]:
    """Return what was measured."""
    last = [sample for sample in soak.samples if sample.start == soak.samples[-1].start]
    return {
        "benchmark": "soak",
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "handed_in": soak.handed,
        "nonsense": soak.nonsense,
        "stored": soak.stored,
        "kills": len(soak.starts) - 2,  # the first start, and one at the end
        "starts_s": soak.starts,
        "growth_per_1000_talks": {name: growth(last, name) for name in MEASURED} if len(last) > 1 else {},
        "weeks": [asdict(sample) for sample in soak.samples],
        "machine": describe(),
    }


def show(found: dict[str, Any]) -> None:
    """Print the report as Markdown: the last week of each month, and what grew in the undisturbed half."""
    columns = ("talks", "paragraphs", "topics", "s a talk", "memory MB", "broker MB", "files", "threads",
               "database MB", "its files", "blobs MB")  # fmt: skip
    print(f"| week | {' | '.join(columns)} |\n| ---: | {' | '.join('---:' for _ in columns)} |")
    before = 0
    weeks = found["weeks"]
    for number, week in enumerate(weeks):
        if number % 4 == 3 or number == len(weeks) - 1:
            since = weeks[before : number + 1]
            talks = week["talks"] - (weeks[before - 1]["talks"] if before else 0)
            pace = sum(each["seconds"] for each in since) / max(1, talks)
            values = [f"{week[name]:,}" for name in ("talks", "paragraphs", "topics")]
            values.append(f"{pace:.2f}")
            values += [f"{week[name]:,}" for name in MEASURED]
            print(f"| {week['week']} | {' | '.join(values)} |")
            before = number + 1
    print(f"\n{found['stored']:,} of {found['handed_in']:,} talks stored, after {found['kills']} kills")
    print(f"starts took {', '.join(f'{each:.0f} s' for each in found['starts_s'])}")
    grew = ", ".join(f"{name} {value:+}" for name, value in found["growth_per_1000_talks"].items())
    print(f"for each thousand talks since the last kill: {grew}")


def main(arguments: list[str]) -> int:
    """Run and report; return the exit code. A lost talk is waited for in vain, which is an error."""
    parser = argparse.ArgumentParser(
        prog="soak.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--uploads", type=int, default=5000, help="talks of the year (default: 5000)")
    parser.add_argument("--words", type=int, default=250, help="least words of one (default: 250)")
    parser.add_argument("--weeks", type=int, default=52, help="parts that the year has (default: 52)")
    parser.add_argument("--kills", type=int, default=4, help="SIGKILLs in the first half (default: 4)")
    parser.add_argument(
        "--seed", type=int, default=7, help="draws the moments of kills, and what is read (default: 7)"
    )
    parser.add_argument("--talks", type=Path, nargs="+", metavar="FILE", help="talks as .jsonl or .jsonl.gz")
    parser.add_argument("--out", type=Path, metavar="FILE.json", help="write the report there")
    options = parser.parse_args(arguments)
    if min(options.uploads, options.words, options.weeks) < 1:
        parser.error("--uploads, --words and --weeks are 1 or more")
    if not 0 <= options.kills <= options.weeks // 2:
        parser.error("--kills is at most one in each week of the first half")
    try:
        files = options.talks
        if not files:
            folder = default_file().parent
            files = [folder / f"changelog_{show}.jsonl.gz" for show in SHOWS]
        talks = uploads(files, options.uploads, options.words)
        with tempfile.TemporaryDirectory(prefix="groundswell-soak-") as home:
            soak = Soak(settings_in(Path(home)), talks, options.weeks, options.kills, options.seed)
            soak.run()
            found = report(soak)
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        return exit_code_of(error)
    show(found)
    if options.out is not None:
        options.out.write_text(f"{json.dumps(found, indent=2)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
