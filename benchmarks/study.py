"""A study in a folder of its own: `groundswell run` as a child process, handed talks and watched."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families
from pydantic import ValidationError

from agents.acquisition.ingest import Ingest
from agents.cli import variables
from agents.cli.asking import ask
from agents.cli.console import tell
from agents.instance.clock import utc_now
from agents.instance.running_instance import RunningInstance, serving
from agents.runtime.wiring import NAMES
from models.codebook.codebook import load
from streams.errors import Unavailable
from streams.kafka.admin import Cluster
from streams.settings import EMBEDDED, Settings
from streams.state.blobs import Blobs

OWN = {
    "study": "benchmark",
    "broker": EMBEDDED,
    "clickhouse": EMBEDDED,
    "blobs": "",
    "min_duration_s": 0.0,
    "max_duration_s": 604_800.0,
    "web_host": "127.0.0.1",
    "web_port": 0,
}
"""Settings that the environment does not change."""
START_S = 300.0
"""A first start assembles the packaged models, imports much and seeds the topics."""
STALL_S = 300.0
"""Nothing moved for so long: something is wrong."""
LOOK_S = 0.25
TELL_S = 10.0
"""How often progress is told where stderr is no terminal, and how often the database is asked in any case."""


@dataclass(frozen=True)
class Stage:
    """Work of one agent. Agents work at the same time, so their seconds do not add up to the wall time."""

    events: int
    handling_s: float
    settling_s: float


def settings_in(home: Path) -> Settings:
    """Return the settings of a study kept in `home`; GROUNDSWELL_* apply but for `OWN`.

    Raises:
        Misconfigured: one of them is wrong.
    """
    try:
        return Settings(home=home, **OWN)  # type: ignore[arg-type]
    except ValidationError as error:
        raise variables.refused(error) from error


def finished(status: dict[str, Any]) -> int:
    """Return how many talks have topics or were rejected, of a study's status."""
    return sum(int(status["states"].get(state, 0)) for state in ("assigned", "rejected"))


class RunningStudy:
    """`groundswell run` for the time of a `with` block.

    Attributes:
        startup_s: from the start of the process until every agent had started.
        pid: of the process; the broker is a child of it.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.startup_s = 0.0
        self._log = settings.home / "run.log"
        self._process: subprocess.Popen[bytes]
        self._running: RunningInstance

    @property
    def running(self) -> RunningInstance:
        """Where it serves, and its broker."""
        return self._running

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    def __enter__(self) -> RunningStudy:
        settings = self.settings
        own = {f"GROUNDSWELL_{name.upper()}": str(getattr(settings, name)) for name in ("home", *OWN)}
        began = time.perf_counter()
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "agents.cli", "run"],
                env=os.environ | own,
                cwd=settings.home,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            self._running = self._when_ready()
        except BaseException:
            self.__exit__()
            raise
        self.startup_s = time.perf_counter() - began
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _when_ready(self) -> RunningInstance:
        """Wait until it serves and has stored the codebook's topics: every agent has started then."""
        seeded = len(load(self.settings.codebook).topics)
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and self._process.poll() is None:
            running = serving(self.settings)
            if running is not None and ask(self.settings, "status")["topics"] >= seeded:
                return running
            time.sleep(LOOK_S)
        raise self._failed("groundswell run did not start")

    def _failed(self, what: str) -> Unavailable:
        said = self._log.read_text(errors="replace").strip()[-2000:] or "nothing"
        return Unavailable(f"{what}; it said: {said}", "mend what it names; groundswell doctor may help")

    def hand_in(self, path: Path) -> int:
        """Hand talks in as `groundswell ingest` does; return how many there are.

        Raises:
            DataError: one was refused.
        """
        videos = set()
        with Cluster(self.settings, self._running.broker) as cluster:
            for handed in Ingest(Blobs(self.settings.blobs_url), cluster.send, utc_now()).files([path]):
                if handed.refused is not None:
                    raise handed.refused
                videos.add(handed.video_id)
        return len(videos)

    def until_stored(self, talks: int, before: int = 0, *, dead: bool = True) -> dict[str, Any]:
        """Wait until so many talks are finished, showing progress; return the study's status.

        `before` of them were when this process started; `dead`: dead letters count as finished talks. The
        database is asked when all talks may be done, and rarely before: answering takes time from what is
        measured.

        Raises:
            Unavailable: the study ended, or nothing moves any more.
        """
        moved_at = asked_at = time.monotonic()
        seen, done = -1, 0
        with _progress(talks) as show:
            while True:
                if self._process.poll() is not None:
                    raise self._failed("groundswell run ended before all talks were stored")
                stages = self.stages()
                tracked = before + stages["track"].events
                events = sum(each.events for each in stages.values())
                show(tracked)
                now = time.monotonic()
                if tracked >= talks or now - asked_at > TELL_S:
                    status: dict[str, Any] = ask(self.settings, "status")
                    done = finished(status) + (status["dead_letters"] if dead else 0)
                    if done >= talks:
                        return status
                    asked_at = now
                if events != seen:
                    moved_at, seen = now, events
                elif now - moved_at > STALL_S:
                    raise self._failed(
                        f"nothing moved for {STALL_S:.0f} s, with {done} of {talks} talks finished"
                    )
                time.sleep(LOOK_S)

    def stages(self) -> dict[str, Stage]:
        """Return what each agent did since the start, from the process's own metrics.

        Raises:
            Unavailable: it does not answer.
        """
        try:
            text = httpx.get(f"{self._running.url}/metrics", trust_env=False, timeout=60).text
        except httpx.HTTPError as error:
            raise self._failed(f"groundswell run does not answer ({error})") from error
        sums: dict[tuple[str, str | None], float] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                key = sample.name, sample.labels.get("agent")
                sums[key] = sums.get(key, 0.0) + sample.value
        return {
            name: Stage(
                events=int(sums.get(("groundswell_events_total", name), 0)),
                handling_s=round(sums.get(("groundswell_handling_seconds_sum", name), 0.0), 3),
                settling_s=round(sums.get(("groundswell_settling_seconds_sum", name), 0.0), 3),
            )
            for name in NAMES
        }


@contextmanager
def _progress(talks: int) -> Iterator[Callable[[int], None]]:
    """Yield what is to be told how many talks have topics: a bar on a terminal, else a line now and then."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    began = told_at = time.monotonic()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("talks with topics", total=talks)

        def show(done: int) -> None:
            nonlocal told_at
            progress.update(bar, completed=done)
            now = time.monotonic()
            if not console.is_terminal and now - told_at >= TELL_S:
                told_at = now
                tell(f"{now - began:5.0f} s: {done} of {talks} talks have topics")

        yield show
