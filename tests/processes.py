"""Real groundswell processes that tests start, query and kill."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import platformdirs

from tests.fork_server import ForkedProcess, can_fork

ROOT = Path(__file__).resolve().parents[1]
TALKS = ROOT / "agents" / "cli" / "demo" / "talks"
AUDIO = ROOT / "agents" / "cli" / "demo" / "audio"
GIVE_UP_S = 420.0
"""How long a test waits for what should happen: no goal, only so that what hangs ends, on any machine."""


@dataclass
class Process:
    """A groundswell process and the file of its output."""

    name: str
    popen: subprocess.Popen[bytes] | ForkedProcess
    log: Path

    @property
    def alive(self) -> bool:
        return self.popen.poll() is None

    def kill(self) -> None:
        """Kill it with -9, its children too (a speech process must not outlive it)."""
        with suppress(ProcessLookupError):
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()

    def stop(self, number: int = signal.SIGTERM, seconds: float = 20.0) -> int:
        self.popen.send_signal(number)
        return self.popen.wait(seconds)

    def said(self) -> str:
        return self.log.read_text(errors="replace")


def share_models(home: Path) -> None:
    """Create a home, in which the packaged models are those of all tests: to assemble them takes long."""
    home.mkdir(parents=True, exist_ok=True)
    shared = platformdirs.user_cache_path("groundswell") / "models"
    shared.mkdir(parents=True, exist_ok=True)
    with suppress(FileExistsError):
        (home / "models").symlink_to(shared)


@dataclass
class Study:
    """A study in a separate folder, with the environment of its processes."""

    home: Path
    name: str = "test"
    environment: dict[str, str] = field(default_factory=dict)
    processes: list[Process] = field(default_factory=list)

    def __post_init__(self) -> None:
        share_models(self.home)

    def env(self, **more: str) -> dict[str, str]:
        clean = {key: value for key, value in os.environ.items() if not key.startswith("GROUNDSWELL_")}
        given = {
            "GROUNDSWELL_HOME": str(self.home),
            "GROUNDSWELL_STUDY": self.name,
            "GROUNDSWELL_MIN_DURATION_S": "1",
            "GROUNDSWELL_WEB_PORT": "0",
            "OMP_NUM_THREADS": "1",
            "GROUNDSWELL_THREADS": "1",
            "PYTHONUNBUFFERED": "1",
            "COLUMNS": "200",
        }
        return clean | given | self.environment | more

    def start(
        self, *command: str, terminal: int | None = None, cold: bool = False, **environment: str
    ) -> Process:
        """Start a command; what it says goes to a log, and on stderr to a terminal if there is one.

        It is forked from a process that has imported its libraries, unless it shall start `cold`.
        """
        log = self.home / f"{'-'.join(command)}.log"
        self.home.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as file:
            popen = self._popen(
                command, self.env(**environment), file, file if terminal is None else terminal, cold
            )
        process = Process("-".join(command), popen, log)
        self.processes.append(process)
        return process

    def _popen(
        self,
        command: Sequence[str],
        environment: dict[str, str],
        out: IO[bytes],
        error: IO[bytes] | int,
        cold: bool,
    ) -> subprocess.Popen[bytes] | ForkedProcess:
        if not cold and can_fork(environment):
            with Path(os.devnull).open("rb") as nothing:
                files = [file if isinstance(file, int) else file.fileno() for file in (nothing, out, error)]
                return ForkedProcess(command, environment, self.home, files)
        return subprocess.Popen(
            [sys.executable, "-m", "agents.cli", *command],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=error,
            start_new_session=True,
            cwd=self.home,
        )

    def cli(self, *command: str, cold: bool = False, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; it is forked as the processes of `start` are."""
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as error:
            popen = self._popen(command, self.env(**environment), out, error, cold)
            code = popen.wait(GIVE_UP_S)
            said = []
            for file in (out, error):
                file.seek(0)
                said.append(file.read().decode())
        return subprocess.CompletedProcess(list(command), code, *said)

    def ask(self, *command: str) -> Any:
        """Return the output of a reading command with --json."""
        answer = self.cli(*command, "--json")
        assert answer.returncode == 0, answer.stderr
        return json.loads(answer.stdout)

    def run(self, cold: bool = False) -> Process:
        """Start `groundswell run`, and wait until it serves the page."""
        process = self.start("run", cold=cold)
        self.until_serving(process)
        return process

    def until_serving(self, process: Process | None = None) -> None:
        """Wait until a process, by default the last one started, serves the page."""
        process = process or self.processes[-1]
        running = self.home / "studies" / self.name / "running.json"

        def serves() -> bool:
            assert process.alive, process.said()[-3000:]
            return running.exists() and json.loads(running.read_text())["pid"] == process.popen.pid

        until(serves)

    @property
    def url(self) -> str:
        running = self.home / "studies" / self.name / "running.json"
        address: str = json.loads(running.read_text())["url"]
        return address

    def until_settled(self) -> None:
        """Wait until every agent has handled all that the others sent, so that nothing more is written."""

        def settled() -> bool:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=GIVE_UP_S) as answer:
                return not any(json.load(answer)["lag"].values())

        until(settled)

    def api(self, view: str) -> Any:
        """Return a view of the running page, which is quicker than a command."""
        with urllib.request.urlopen(f"{self.url}/api/{view}", timeout=GIVE_UP_S) as answer:
            return json.load(answer)

    def until_done(self, videos: int) -> dict[str, Any]:
        """Wait until `videos` videos are finished (assigned, rejected or dead letters); return the status."""

        def done() -> bool:
            status = self.api("status")
            finished = status["states"].get("assigned", 0) + status["states"].get("rejected", 0)
            return bool(finished + status["dead_letters"] >= videos)

        try:
            until(done, 0.5)  # what is counted anew after each write
        except AssertionError as error:
            logs = "\n".join(process.said()[-3000:] for process in self.processes)
            raise AssertionError(f"{error}: {self.api('status')}\n{logs}") from None
        status: dict[str, Any] = self.api("status")
        return status

    def end(self) -> None:
        for process in self.processes:
            if process.alive:
                process.kill()


def free_port() -> int:
    """Return a port on 127.0.0.1 that is free, and stays so while a server on it is away.

    It is below the ports that the system gives to outgoing connections, which may take any free one of those.
    """
    while True:
        with socket.socket() as probe, suppress(OSError):
            port = random.randrange(16_000, 32_000)
            probe.bind(("127.0.0.1", port))
            return port


@contextmanager
def clickhouse(folder: Path, port: int) -> Iterator[str]:
    """Serve ClickHouse's engine from a folder, with a log beside it; yield its address."""
    command = [sys.executable, str(ROOT / "infra" / "clickhouse" / "chdb_http.py")]
    with folder.with_suffix(".log").open("wb") as log:
        server = subprocess.Popen(
            [*command, "--path", str(folder), "--port", str(port)], stdout=log, stderr=log
        )
    try:
        yield f"clickhouse://default@127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(GIVE_UP_S)


def until(true: Callable[[], bool], pause: float = 0.2) -> None:
    deadline = time.monotonic() + GIVE_UP_S
    while time.monotonic() < deadline:
        if true():
            return
        time.sleep(pause)
    raise AssertionError(f"it did not happen within {GIVE_UP_S:.0f} s")


def tables(home: Path, study: str) -> Iterator[tuple[str, list[tuple[Any, ...]]]]:
    """Yield every table (FINAL, ordered by its columns) of an embedded study that no process has open."""
    from streams.settings import Settings
    from streams.store.warehouse import Warehouse
    from streams.store.writer import ORDER

    with Warehouse(Settings(home=home, study=study)) as warehouse:
        for table in (*ORDER, "video_topics"):
            rows = warehouse.rows(f"SELECT * FROM {table} FINAL ORDER BY ALL")
            yield table, [tuple(map(str, row.values())) for row in rows]
