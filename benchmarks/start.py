"""Cost of a start: processor seconds until a command has answered, and until the page does.

python benchmarks/start.py [--times 5] [--out FILE.json]

In a new study, with processes of their own:

- `--help`, `status` and `topics` while `groundswell run` serves (they ask its page), and after it has ended
  (they answer what it kept): user and system time of the process, the median of several;
- `status` when nothing is kept, as after a process that was killed: it opens the embedded database;
- the first start of `groundswell run` (the tables, models and topics are made) and the second, until the page
  has answered: user and system time of the process and all its children.

Goals: the commands below 0.5 s while it runs and after it has ended, the second start below 10 s. Python's
bytecode is compiled before. Processor time depends on the machine, and on what else it does at the time.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.machine import describe
from streams.errors import DataError, Explained
from streams.settings import Settings

COMMAND_S, START_S = 0.5, 10.0
GIVE_UP_S = 600.0
OPENED = "status, which opens the database"
COMMANDS = ("--help", "status", "topics")
LOOK_S = 0.02


class Study:
    """A new study, and the processes that work on it."""

    def __init__(self, home: Path) -> None:
        self.settings = Settings(home=home, study="benchmark", web_port=0)
        own = {"GROUNDSWELL_HOME": str(home), "GROUNDSWELL_STUDY": "benchmark", "GROUNDSWELL_WEB_PORT": "0"}
        others = {name: value for name, value in os.environ.items() if not name.startswith("GROUNDSWELL_")}
        self._environment = others | own
        self._environment.pop("PYTHONDONTWRITEBYTECODE", None)

    def spent_by(self, command: str) -> float:
        """Return the processor time of a command, seconds.

        Raises:
            DataError: it failed.
        """
        process = self._start(command)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise DataError(f"groundswell {command} failed", "run it by hand and see what it says")
        return usage.ru_utime + usage.ru_stime

    def unknown(self) -> float:
        """Return the processor time of `status` if no answer is kept, seconds."""
        self.settings.answers_file.unlink()
        return self.spent_by("status")

    @contextmanager
    def running(self) -> Iterator[float]:
        """Start `groundswell run`; lend the processor time until its page answered, and stop it."""
        process = self._start("run")
        try:
            self._answers(process)
            yield _spent(psutil.Process(process.pid))
        finally:
            process.terminate()
            process.wait()

    def until_seeded(self) -> None:
        """Wait until the topics of the codebook are stored: what only the first start does is done then."""
        deadline = time.monotonic() + GIVE_UP_S
        while time.monotonic() < deadline:
            with urllib.request.urlopen(f"{self._url()}/api/topics", timeout=GIVE_UP_S) as answer:
                if json.load(answer):
                    return
            time.sleep(0.5)
        raise DataError("the topics are not stored", "see what groundswell run says")

    def _start(self, command: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "agents.cli", command],
            env=self._environment,
            cwd=Path(__file__).parents[1],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def _answers(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + GIVE_UP_S
        while process.poll() is None and time.monotonic() < deadline:
            with suppress(OSError, ValueError), urllib.request.urlopen(self._url(), timeout=GIVE_UP_S):
                return
            time.sleep(LOOK_S)
        raise DataError("groundswell run did not start", "start it by hand and see what it says")

    def _url(self) -> str:
        url: str = json.loads(self.settings.running_file.read_bytes())["url"]
        return url


def _spent(process: psutil.Process) -> float:
    """Return the processor time of a process, of its children, and of those that have ended."""
    seconds = 0.0
    for each in (process, *process.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            times = each.cpu_times()
            seconds += times.user + times.system + times.children_user + times.children_system
    return seconds


def measured(times: int) -> dict[str, Any]:
    """Start everything in a new study; seconds of processor by what was started."""
    found: dict[str, float] = {}

    def commands(when: str) -> None:
        for command in COMMANDS:
            each = [study.spent_by(command) for _ in range(times)]
            tell(command if command == "--help" else f"{command}, {when}", statistics.median(each))

    def tell(what: str, seconds: float) -> None:
        found[what] = round(seconds, 2)
        print(f"{seconds:7.2f} s  {what}", flush=True)

    with tempfile.TemporaryDirectory() as folder:
        study = Study(Path(folder))
        study.spent_by("status")  # makes the tables, and bytecode
        tell(OPENED, statistics.median([study.unknown() for _ in range(times)]))
        with study.running() as spent:
            tell("run, first start until the page answers", spent)
            study.until_seeded()
            commands("run serves")
        with study.running() as spent:
            tell("run, second start until the page answers", spent)
        commands("run has ended")
    commanded = [seconds for what, seconds in found.items() if what != OPENED and not what.startswith("run,")]
    goals = {
        "commands": max(commanded) < COMMAND_S,
        "second_start": found["run, second start until the page answers"] < START_S,
    }
    return {"processor_s": found, "goals": goals}


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--times", type=int, default=5, help="so often each command is run (5)")
    parser.add_argument("--out", type=Path, help="write the results to this file as JSON")
    arguments = parser.parse_args()
    try:
        result = measured(arguments.times)
    except Explained as error:
        print(f"{error.cause}: {error.cure}", file=sys.stderr)
        return 2
    print(f"goals {result['goals']}")
    if arguments.out:
        arguments.out.write_text(
            json.dumps({"machine": describe()} | result, indent=1) + "\n", encoding="utf-8"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
