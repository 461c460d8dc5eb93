"""Finds the groundswell process that runs a study on this machine, its broker and its database.

An embedded database belongs to one process; an embedded broker lives as long as its process. The process that
serves the page announces itself in running.json; while it starts, it only holds the lock of the database
(`streams.store.process_lock`), and commands wait for it.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from streams.errors import Misconfigured, Unavailable
from streams.settings import Settings
from streams.store.process_lock import DatabaseBusy, Hold, Holder, holder_of, take

if TYPE_CHECKING:
    from streams.kafka.admin import Cluster
    from streams.store.warehouse import Warehouse

Say = Callable[[str], None]
START_S = 180.0
"""How long to wait for a starting groundswell (seconds); the first start compiles and prepares a lot."""
PAUSE_S = 0.2


@dataclass(frozen=True, slots=True)
class RunningInstance:
    """A groundswell process that serves a page."""

    pid: int
    url: str
    broker: str
    """The address of its broker; empty if it only serves the page."""
    began: str = ""
    """When it began, as `beginning` says; empty: unknown."""


def beginning(pid: int) -> str:
    """Return when a process began, in ticks since the machine's start; empty if that is unknown.

    It tells the process from others that get its number, and does not move when the clock is set.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[19]


def on_stderr(text: str) -> None:
    """Write a message for the person to stderr."""
    sys.stderr.write(text + "\n")


def find(settings: Settings, *, say: Say = on_stderr, patience_s: float = START_S) -> RunningInstance | None:
    """Return the process that serves this study here, or None; wait for a starting one, with a message.

    Raises:
        Unavailable: the start takes longer than `patience_s`.
    """
    deadline, told = time.monotonic() + patience_s, False
    while (running := serving(settings)) is None and (holder := starting(settings)) is not None:
        if time.monotonic() >= deadline:
            raise Unavailable(
                f"{holder} has been starting or stopping for {patience_s:.0f} s, and does not serve its page",
                "read its log, or stop it with groundswell stop",
            )
        if not told:
            say(f"waiting for the groundswell that is starting (pid {holder.pid}) …")
            told = True
        time.sleep(PAUSE_S)
    return running


def serving(settings: Settings) -> RunningInstance | None:
    """Return the process that serves this study here now, or None.

    A running.json that a killed process left, or that has another content, is ignored.

    Raises:
        Misconfigured: the file cannot be read.
    """
    running = announced(settings)
    if running is None:
        return None
    holder = holder_of(settings.lock_file)
    if holder is not None and holder.pid == running.pid:
        return running
    import psutil  # it holds no embedded database, or is this process

    with suppress(psutil.Error, FileNotFoundError):
        process = psutil.Process(running.pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        if running.began and (began := beginning(running.pid)):
            return running if began == running.began else None
        if process.create_time() <= settings.running_file.stat().st_mtime + 1:
            return running
    return None


def announced(settings: Settings) -> RunningInstance | None:
    """Return the process in running.json, even if it has ended; None: the file is missing or invalid.

    Raises:
        Misconfigured: the file cannot be read.
    """
    try:
        about = json.loads(settings.running_file.read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValueError, RecursionError):
        return None
    except OSError as error:
        raise Misconfigured(
            f"{settings.running_file} cannot be read ({error.strerror})",
            "make it readable for this user; if no groundswell of this study runs, delete it",
        ) from error
    match about:
        case {"pid": int(pid), "url": str(url), "broker": str(broker)} if 0 < pid < 2**31:
            return RunningInstance(pid, url, broker, str(about.get("began", "")))
    return None


def starting(settings: Settings) -> Holder | None:
    """Return the process that holds the database as the server of the page; None: there is none.

    If `serving` finds no process, it is starting or about to end.
    """
    holder = holder_of(settings.lock_file)
    return holder if holder is not None and holder.kind == "page" else None


@contextmanager
def alone(settings: Settings, *, say: Say = on_stderr) -> Iterator[Hold]:
    """Yield the lock of the only process that serves this study; wait for commands to close its database.

    Raises:
        Misconfigured: another process serves it, is starting, or has not ended yet.
        DatabaseBusy: a worker has the database open, or a command does not end.
    """
    if (other := serving(settings)) is not None:
        raise Misconfigured(
            f"study {settings.study!r} is already running (pid {other.pid}, page at {other.url})",
            "open its page, or stop it with groundswell stop",
        )
    try:
        hold = take(settings.lock_file, "page", say=say)
    except DatabaseBusy as busy:
        if busy.holder.kind != "page":
            raise
        raise Misconfigured(
            f"study {settings.study!r} is already running (pid {busy.holder.pid}, starting or stopping)",
            "wait for its page, or stop it with groundswell stop",
        ) from busy
    with hold:
        yield hold


@contextmanager
def opened(settings: Settings) -> Iterator[Warehouse]:
    """Yield the study's open database, with all its tables.

    Raises:
        Unavailable: the server does not answer, or lacks tables.
        DatabaseBusy: another process has the embedded database open.
    """
    from streams.store import rollups
    from streams.store.warehouse import Warehouse

    with Warehouse(settings, patience_s=10) as warehouse:
        if settings.embedded_clickhouse:
            rollups.migrate(warehouse)
        elif missing := warehouse.missing_migrations():
            raise Unavailable(
                f"{warehouse.where} lacks the tables of study {settings.study!r} (migrations {missing})",
                "run groundswell migrate",
            )
        yield warehouse


def open_cluster(settings: Settings, *, wait: bool = True) -> Cluster | None:
    """Return the broker of this study, or None if it is embedded and not running.

    Args:
        settings: the study's settings.
        wait: whether to wait for a groundswell that is starting.
    """
    from streams.kafka.admin import Cluster

    if not settings.embedded_broker:
        cluster = Cluster(settings, settings.broker)
        cluster.wait(patience_s=10)
        cluster.ensure_topics()
        return cluster
    running = find(settings) if wait else serving(settings)
    return Cluster(settings, running.broker) if running is not None and running.broker else None
