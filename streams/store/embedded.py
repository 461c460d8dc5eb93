"""Opens chDB, the ClickHouse in this process, and explains why it does not open."""

from __future__ import annotations

import errno
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from streams.errors import Explained, Misconfigured, Unavailable

CODE = re.compile(r"Code: \d+\. DB::\w+: ")
"""Beginning of ClickHouse's errors; of nested ones, the last is the cause."""
UNWRITABLE = ("Permission denied", "Read-only file system", "Operation not permitted")
INTERPRETED = ("compile_expressions", "compile_aggregate_expressions", "compile_sort_description")
"""Settings that make ClickHouse compile a query's expressions to machine code when it comes a third time.

They are off: a study's tables are so small that compiling takes longer than it saves.
"""


def connect(folder: Path) -> Any:
    """Return a clickhouse-connect client of chDB in `folder`, which is created if missing.

    Raises:
        Misconfigured: the folder cannot be written, or its database is incomplete or damaged.
        Unavailable: a program other than groundswell has it open, or the disk is full.
    """
    import clickhouse_connect

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise Misconfigured(
            f"{folder} is a file, but the embedded ClickHouse needs a folder there",
            "move it away, or set GROUNDSWELL_HOME to another folder",
        ) from error
    except OSError as error:
        raise _unwritable(folder, error.strerror) from error
    for within in (folder, *(each for each in folder.iterdir() if each.is_dir())):
        if not os.access(within, os.W_OK | os.X_OK):
            raise _unwritable(folder, os.strerror(errno.EACCES))
    told: list[str] = []
    try:
        with _standard_error(told):
            client = clickhouse_connect.get_client(interface="chdb", path=str(folder))
            for setting in INTERPRETED:
                client.command(f"SET {setting} = 0")
            return client
    except Exception as error:
        raise _why(folder, "".join(told), error) from error


def _why(folder: Path, told: str, error: Exception) -> Explained:
    """Return the error to raise: chDB's exception says what failed, its output on stderr says why."""
    if "Cannot lock file" in told:
        return Unavailable(
            f"the embedded ClickHouse in {folder} is in use by a process that is not groundswell",
            f'find it with "fuser {folder / "status"}" and stop it, then try again',
        )
    for reason in UNWRITABLE:
        if reason in told:
            return _unwritable(folder, reason)
    if "No space left" in told:
        return Unavailable(f"the disk of {folder} is full", "free disk space, then try again")
    cause = " ".join(CODE.split(told or str(error))[-1].split())[:160]
    return Misconfigured(
        f"the embedded ClickHouse in {folder} is incomplete or damaged ({cause})",
        "if it was copied, stop groundswell and copy it again with its symbolic links (cp -a); "
        "if it is damaged, restore the folder from a backup",
    )


def _unwritable(folder: Path, reason: str | None) -> Misconfigured:
    return Misconfigured(
        f"the embedded ClickHouse in {folder} cannot be written ({reason})",
        "make the folder and its content writable for this user, or set GROUNDSWELL_HOME to a writable one",
    )


@contextmanager
def _standard_error(told: list[str]) -> Iterator[None]:
    """Capture what ClickHouse's native code prints on stderr, because its reasons are only there.

    Lines that other threads print meanwhile are printed afterwards.
    """
    sys.stderr.flush()
    try:
        kept = os.dup(2)
    except OSError:  # there is no stderr
        yield
        return
    try:
        with tempfile.TemporaryFile() as file:
            os.dup2(file.fileno(), 2)
            try:
                yield
            finally:
                sys.stderr.flush()
                os.dup2(kept, 2)
                file.seek(0)
                told.append(file.read().decode(errors="replace"))
    finally:
        os.close(kept)
    others = CODE.split(told[0])[0]
    if others:
        os.write(2, others.encode())
