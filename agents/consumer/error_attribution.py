"""Attribution of process deaths: caused by the event in hand, or by the process's surroundings."""

from __future__ import annotations

import errno
import re
import socket
from collections.abc import Iterator, Sequence
from concurrent.futures import BrokenExecutor

from models.errors import ModelUnavailable
from models.loading.gpu_memory import is_out_of_memory
from streams.errors import DataError, Explained, Fatal

_MACHINE = frozenset(
    getattr(errno, name)
    for name in (
        "ENOSPC", "EDQUOT", "EIO", "EROFS", "EMFILE", "ENFILE", "ENOMEM", "EACCES", "EPERM", "ESTALE",
        "EAGAIN", "EBUSY", "ENODEV", "ENXIO", "ETXTBSY", "ENOLCK", "EINTR", "ENETDOWN", "ENETUNREACH",
        "ENETRESET", "EHOSTDOWN", "EHOSTUNREACH", "ENOTCONN", "EADDRINUSE", "EADDRNOTAVAIL", "ENOBUFS",
    )
    if hasattr(errno, name)
)  # fmt: skip
"""Errors of disks, permissions, memory and networks; not, for example, ENAMETOOLONG or EISDIR."""
_OUTSIDE = frozenset(
    ("kafka", "aiokafka", "faust", "mode", "botocore", "aiobotocore", "s3fs", "urllib3", "requests", "httpx",
     "httpcore", "aiohttp", "ssl")
)  # fmt: skip
"""Packages whose errors concern a broker, a store or a connection."""
_AROUND = (
    ModelUnavailable, MemoryError, ConnectionError, TimeoutError, ImportError, BrokenExecutor, socket.gaierror
)  # fmt: skip
_CODE = re.compile(r"\bCode: (\d+)")
_DATABASES_OWN = frozenset(
    (3, 60, 74, 75, 76, 81, 159, 164, 173, 198, 202, 209, 210, 225, 236, 241, 242, 243, 252, 279, 319, 394,
     425, 439, 497, 516, 999, 1000)
)  # fmt: skip
"""ClickHouse's codes for errors without a faulty row: time, memory, disk, network, rights, missing tables."""


def is_the_events(error: BaseException) -> bool:
    """Return whether a death counts against the event in hand; otherwise its surroundings were at fault.

    Not counted: groundswell's own errors about its surroundings (unavailable, misconfigured, fatal), memory,
    disk, permissions, network, broker, database, processes killed from outside. Unknown errors are counted:
    a dead letter can be replayed, but a crash loop stops everything.

    Example:
        >>> is_the_events(TypeError("no text")), is_the_events(OSError(errno.ENOSPC, "disk full"))
        (True, False)
    """
    return not any(_is_around(each) for each in _chain(error))


def describe_error(error: BaseException) -> str:
    """Return an error in one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]


def ended(agent: str, keys: Sequence[str], error: BaseException) -> Fatal:
    """Return the error that ends a process after an event's failure.

    Args:
        agent: the agent that failed.
        keys: the keys of the events in hand.
        error: the error it failed with.
    """
    what = keys[0] if len(keys) == 1 else f"one of {len(keys)} events"
    return Fatal(
        f"{agent} failed on {what} ({describe_error(error)})",
        "start it again (the traceback is in the log): after three failures an event becomes a dead letter, "
        "and the others continue",
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        seen.append(error)
        yield error
        error = error.__cause__


def _is_around(error: BaseException) -> bool:
    if isinstance(error, Explained):
        return not isinstance(error, DataError)
    if isinstance(error, OSError) and error.errno in _MACHINE:
        return True
    if isinstance(error, _AROUND) or is_out_of_memory(error) or not isinstance(error, Exception):
        return True
    if (code := _CODE.search(str(error))) is not None:
        return int(code[1]) in _DATABASES_OWN
    return any(kind.__module__.partition(".")[0] in _OUTSIDE for kind in type(error).__mro__)
