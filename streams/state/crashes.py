"""Record of the events in process, which survives a crash of the interpreter.

A process can record the exception that ends it, but not a segmentation fault. So each process has a folder on
its machine: a file per agent with its events in process (written to the page cache, which survives the
process), and a file for the stacks that `faulthandler` writes on a fatal signal (SIGSEGV, SIGABRT, SIGBUS,
SIGFPE, SIGILL). The next process to start reads the folders of ended ones. `kill -9`, which the kernel also
uses when memory is short, leaves no stack, so it is not attributed to an event.
"""

from __future__ import annotations

import faulthandler
import fcntl
import os
import re
import shutil
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

TRACE = "stacks.txt"
FATAL = (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL)
_CURRENT = re.compile(r"^Current thread .*?(?=^\S|\Z)", re.MULTILINE | re.DOTALL)
_SIGNAL = re.compile(r"^Fatal Python error: (.+)$", re.MULTILINE)


class Crash(NamedTuple):
    """A process that a fatal signal ended while an agent processed events."""

    agent: str
    event_ids: tuple[str, ...]
    why: str
    traceback: str


class AtWork:
    """The events that one agent is processing, in a file; cheap enough for every event."""

    def __init__(self, path: Path) -> None:
        self._events: dict[str, None] = {}
        self._file: IO[bytes] = path.open("ab", buffering=0)

    def begin(self, event_id: str) -> None:
        """Record that an event is being processed."""
        self._events[event_id] = None
        self._file.write(event_id.encode() + b"\n")

    def done(self, event_id: str) -> None:
        """Record that an event is no longer being processed."""
        if self._events.pop(event_id, 0) is None:
            self._file.truncate(0)
            if self._events:
                self._file.write("".join(f"{each}\n" for each in self._events).encode())


class CrashRecord:
    """A process's folder during its lifetime; create it in the main thread, after the engines are loaded.

    Args:
        folder: the parent folder for all processes of the study on this machine.
    """

    def __init__(self, folder: Path) -> None:
        name = uuid.uuid4().hex
        begun = folder / f".{name}"  # hidden until it is locked, or a process would take it for an ended one
        begun.mkdir(parents=True)
        self._trace = (begun / TRACE).open("ab")
        fcntl.flock(self._trace, fcntl.LOCK_EX)  # the kernel releases it, however the process ends
        self._own = begun.rename(folder / name)
        self._watches = not faulthandler.is_enabled()
        if self._watches:
            for number in FATAL:  # chDB's own handlers look up symbols for minutes before the process ends
                signal.signal(number, signal.SIG_DFL)
            faulthandler.enable(self._trace)

    def of(self, agent: str) -> AtWork:
        """Return the record of an agent's events in process."""
        return AtWork(self._own / agent)

    def close(self) -> None:
        """Delete the folder, because the process ends normally."""
        if self._watches:
            faulthandler.disable()
        shutil.rmtree(self._own, ignore_errors=True)
        self._trace.close()


def crashes(folder: Path) -> Iterator[Crash]:
    """Yield the crashes of ended processes, and delete their folders afterwards.

    Only the agent whose code the crashed thread executed is named: others in that process were not at fault.
    """
    if not folder.is_dir():
        return
    for gone in sorted(folder.iterdir()):
        trace = gone / TRACE
        if gone.name.startswith(".") or not trace.is_file():
            continue
        with trace.open("r+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue  # the process is alive
            stacks = file.read()
            yield from _read(gone, stacks)
            shutil.rmtree(gone, ignore_errors=True)


def _read(gone: Path, stacks: str) -> Iterator[Crash]:
    ended, current = _SIGNAL.search(stacks), _CURRENT.search(stacks)
    if ended is None or current is None:
        return
    for held in sorted(gone.iterdir()):
        at_work = held.name != TRACE and _module(held.name).search(current[0]) is not None
        events = tuple(held.read_text().split()) if at_work else ()
        if events:
            yield Crash(held.name, events, ended[1], stacks)


def _module(agent: str) -> re.Pattern[str]:
    """Return a pattern of an agent's file, which has its name: agents/topics/track.py is that of track."""
    sep = re.escape(os.sep)
    return re.compile(rf"{sep}agents{sep}\w+{sep}{re.escape(agent)}\.py")
