"""Processes of Groundswell that are forked from one in which the libraries are imported already.

Importing torch, sentence-transformers and what else a study needs takes some eight seconds of processor, and
a test run starts hundreds of processes. `python -m tests.fork_server PID` imports them once for the test run
of that process. At a socket it waits for requests, and answers each with a child that is a process like any
other: with its own session, environment, folder and output, it runs `agents.cli` as `python -m` does. Of
Groundswell only the adapter to BERTopic is imported before; settings, logs and connections are the child's.

The embedded database is not among the libraries: importing it starts threads, which a fork loses. Tests of
what a process imports, of its memory and of its start ask for one that starts cold.
"""

from __future__ import annotations

import atexit
import errno
import gc
import json
import os
import runpy
import select
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import NoReturn

LIBRARIES = (
    "sentence_transformers",
    "models.topics.online.bertopic_adapter",
    "aiokafka",
    "clickhouse_connect",
    "fastapi",
    "faster_whisper",
    "faust.app",
    "faust.transport.consumer",
    "faust.worker",
    "fsspec",
    "httpx",
    "jinja2",
    "kafka",
    "platformdirs",
    "prometheus_client",
    "pydantic_settings",
    "rich",
    "river.drift",
    "stamina",
    "structlog",
    "typer",
    "uvicorn",
)
OWN = ("GROUNDSWELL_", "PYTEST_", "COLUMNS")
"""Variables, by their beginnings, that no library reads when it is imported."""
ALWAYS = {"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
PATIENCE_S = 120.0
ROOT = Path(__file__).resolve().parents[1]
NUMBER = 4
"""Bytes of a number at the socket: the length of a request, a process id, an exit code."""


def can_fork(environment: Mapping[str, str]) -> bool:
    """Return whether a process with this environment can be forked: libraries read theirs on import."""
    return sys.platform == "linux" and _for_libraries(environment) == _for_libraries(os.environ) | ALWAYS


def _for_libraries(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if not name.startswith(OWN)}


class ForkedProcess:
    """A forked process, used like one of `subprocess.Popen`.

    `files` are its standard input, output and error.
    """

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], folder: Path, files: Sequence[int]
    ) -> None:
        self.returncode: int | None = None
        self._connection = _connect()
        request = json.dumps([list(command), dict(environment), str(folder)]).encode()
        socket.send_fds(self._connection, [_packed(len(request))], list(files))
        self._connection.sendall(request)
        self.pid = _number(self._connection)

    def poll(self) -> int | None:
        with suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            self._connection.settimeout(timeout)
            try:
                self.returncode = _number(self._connection)
            except (BlockingIOError, TimeoutError):
                raise subprocess.TimeoutExpired("groundswell", timeout or 0) from None
            self._connection.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)


_servers: list[subprocess.Popen[bytes]] = []


def _connect() -> socket.socket:
    """Connect to the process of this test run; a test process that finds none starts it."""
    run = os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()
    deadline = time.monotonic() + PATIENCE_S
    while True:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(_address(run))
            return connection
        except ConnectionRefusedError:
            connection.close()
            if time.monotonic() > deadline:
                raise
        if not _servers:
            environment = _for_libraries(os.environ) | ALWAYS
            command = [sys.executable, "-m", __name__, str(run)]
            nothing = subprocess.DEVNULL
            _servers.append(
                subprocess.Popen(
                    command, env=environment, cwd=ROOT, stdin=nothing, stdout=nothing, start_new_session=True
                )
            )
        time.sleep(0.05)


def _address(run: int) -> str:
    return f"\0groundswell-tests-{run}"


def _packed(number: int) -> bytes:
    return number.to_bytes(NUMBER, "big", signed=True)


def _number(connection: socket.socket) -> int:
    received = connection.recv(NUMBER, socket.MSG_WAITALL)
    if len(received) < NUMBER:
        raise RuntimeError("the process that forks the others has ended")
    return int.from_bytes(received, "big", signed=True)


class ForkServer:
    """Forks processes on request until the test run that it serves ends."""

    def __init__(self, run: int) -> None:
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(_address(run))
        self._listener.listen(100)
        self._run = os.pidfd_open(run)
        self._children: dict[int, tuple[int, socket.socket]] = {}

    def serve(self) -> list[str] | None:
        """Fork children; return twice: the command in a child, None when the test run has ended."""
        while True:
            ready, _, _ = select.select([self._run, self._listener, *self._children], [], [])
            if self._run in ready:
                return None
            for ended in self._children.keys() & set(ready):
                self._report(ended)
            if self._listener in ready and (command := self._fork()) is not None:
                return command

    def _report(self, ended: int) -> None:
        pid, connection = self._children.pop(ended)
        _, status = os.waitpid(pid, 0)
        with suppress(ConnectionError), connection:  # nobody may be waiting for it any more
            connection.sendall(_packed(os.waitstatus_to_exitcode(status)))
        os.close(ended)

    def _fork(self) -> list[str] | None:
        connection, _ = self._listener.accept()
        length, files, _, _ = socket.recv_fds(connection, NUMBER, 3)
        command, environment, folder = json.loads(
            connection.recv(int.from_bytes(length, "big"), socket.MSG_WAITALL)
        )
        if pid := os.fork():
            for file in files:
                os.close(file)
            self._children[os.pidfd_open(pid)] = pid, connection
            connection.sendall(_packed(pid))
            return None
        os.setsid()
        for standard, file in enumerate(files):
            os.dup2(file, standard)
        for file in (*files, self._run, *self._children):
            os.close(file)
        for each in (self._listener, connection, *(connection for _, connection in self._children.values())):
            each.close()
        os.environ.clear()
        os.environ.update(environment)
        os.chdir(folder)
        sys.path[0] = folder
        return list(command)


def main() -> None:
    try:
        server = ForkServer(int(sys.argv[1]))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:  # another test process was quicker
            return
        raise
    for library in LIBRARIES:
        import_module(library)
    gc.freeze()
    command = server.serve()
    if command is not None:
        sys.argv[1:] = command
        _end_with(_run())


def _run() -> int:
    """Run the command as `python -m` does, and return its exit code."""
    try:
        runpy.run_module("agents.cli", run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        if ended.code is None or isinstance(ended.code, int):
            return ended.code or 0
        print(ended.code, file=sys.stderr)
        return 1
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def _end_with(code: int) -> NoReturn:
    """End this process as Python does, but do not take the many modules apart: that takes half a second."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
