"""Lock on a study's embedded database: one process at a time; others see which one holds it, and wait.

chDB allows one process per folder, and fails in a second one. So a process first takes an advisory lock
(flock) on a file beside the folder; the kernel releases it when the process ends, however it ends. The file
names the holder, which is valid only while the file is locked.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Literal, get_args

from streams.errors import Misconfigured, Unavailable

Kind = Literal["command", "page", "worker"]
"""Kind of holder: a command, which soon ends; the process that serves the page; a worker."""
PATIENCE_S = 60.0
"""Longest wait for a command to end (seconds)."""
PAUSE_S = 0.1
NO_LOCKS = {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}
"""Errors of a file system without locks; there, only chDB's own lock protects the folder."""


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that holds the lock; pid 0: not yet known."""

    pid: int = 0
    kind: Kind = "command"

    def __str__(self) -> str:
        """Return a name for people."""
        name = {"command": "another groundswell command", "page": "groundswell", "worker": "a worker"}
        return f"{name[self.kind]} (pid {self.pid})" if self.pid else name[self.kind]


class DatabaseBusy(Unavailable):
    """Another process holds the database."""

    def __init__(self, holder: Holder, folder: Path) -> None:
        super().__init__(
            f"{holder} has the embedded ClickHouse in {folder} open, and only one process can",
            "stop it (groundswell stop, or Ctrl-C where it runs), then try again",
        )
        self.holder = holder


@dataclass(slots=True)
class _Lock:
    descriptor: int
    users: int = 1
    content: object = field(default_factory=object)


_mine: dict[Path, _Lock] = {}
_guard = threading.Lock()


class Hold:
    """A reference to this process's lock on a database, which its threads and clients share."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._released = False

    @property
    def content(self) -> object:
        """An object that stands for the database's content: it is the same until `changed` is called."""
        return _mine[self._path].content

    def changed(self) -> None:
        """Tell every user of the lock that the content has changed."""
        _mine[self._path].content = object()

    def __enter__(self) -> Hold:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def release(self) -> None:
        """Drop this reference; the last one of the process releases the lock. Idempotent."""
        with _guard:
            if self._released:
                return
            self._released = True
            lock = _mine[self._path]
            lock.users -= 1
            if not lock.users:
                del _mine[self._path]
                with suppress(OSError):
                    os.ftruncate(lock.descriptor, 0)
                os.close(lock.descriptor)


def take(
    path: Path, kind: Kind = "command", *, say: Callable[[str], None], patience_s: float = PATIENCE_S
) -> Hold:
    """Lock the database beside the lock file `path`; wait for a command that holds it, and announce that.

    Raises:
        DatabaseBusy: a worker or the page's process holds it, or a command that did not end in time.
        Misconfigured: the file cannot be created.
    """
    path, deadline, told = path.absolute(), time.monotonic() + patience_s, False
    while True:
        with _guard:
            if (lock := _mine.get(path)) is not None:
                lock.users += 1
                return Hold(path)
            if (descriptor := _locked(path)) is not None:
                _mine[path] = _Lock(descriptor)
                said = json.dumps({"pid": os.getpid(), "kind": kind}).encode()
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, said, 0)
                return Hold(path)
        other = holder_of(path)  # None: it was released just now
        late = time.monotonic() >= deadline
        if late or (other is not None and other.kind != "command"):
            raise DatabaseBusy(other or Holder(), path.with_suffix(""))
        if other is not None and other.pid and not told:
            say(f"waiting for {other}, which has the study's database open …")
            told = True
        time.sleep(PAUSE_S)


def holder_of(path: Path) -> Holder | None:
    """Return the other process that holds the database beside the lock file `path`, or None."""
    with _guard:
        if path.absolute() in _mine:
            return None
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _said(os.pread(descriptor, 200, 0))
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return None


def _said(content: bytes) -> Holder:
    with suppress(ValueError, TypeError, KeyError):
        about = json.loads(content)
        if isinstance(about["pid"], int) and about["kind"] in get_args(Kind):
            return Holder(about["pid"], about["kind"])
    return Holder()


def _locked(path: Path) -> int | None:
    """Return the descriptor of the locked file, or None if another process holds the lock."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)  # not inherited by child processes
    except OSError as error:
        raise Misconfigured(
            f"{path.parent} cannot be written ({error.strerror})",
            "make the folder writable for this user, or set GROUNDSWELL_HOME to a writable one",
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except OSError as error:
        if error.errno not in NO_LOCKS:
            os.close(descriptor)
            raise
    return descriptor
