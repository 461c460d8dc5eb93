"""Files of talks on this machine: which there are, and what is in them, read no further than talks go.

A file belongs to somebody else, too: it may be a pipe, a device or a folder, lie too deep, be larger than the
memory, or vanish while it is read. All that is a `DataError` of that file and of no other.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

from streams import intake
from streams.errors import DataError

TRANSCRIPTS = frozenset({".vtt", ".srt", ".json3", ".json", ".xml"})
COLLECTIONS = (".jsonl", ".jsonl.gz")
MEDIA = frozenset(
    {".mp3", ".m4a", ".mp4", ".ogg", ".opus", ".wav", ".flac", ".webm", ".mkv", ".mov", ".aac", ".ts", ".avi"}
)
KNOWN = "recordings, transcripts (.vtt, .srt, .json3, .json, .xml) or collections (.jsonl, .jsonl.gz)"
SIDECAR_BYTES = 1024 * 1024
"""Of a .json that only describes the file beside it."""
UNPACKED = 100
"""A collection unpacks to at most so many times its bytes, beyond one talk's; transcripts pack 10 to 1."""
NO_TALKS = 1_000
"""After so many lines in a row that are no talks, a collection is read no further."""
BLANKS = 100_000
"""Blank lines in a row, likewise."""
DIGEST = 16
"""Hex digits of a file's sha256 that name it."""


class Line(NamedTuple):
    """A line of a collection; `number` from 1. `error`: it is too long to be a talk, and nothing follows."""

    number: int
    content: bytes
    error: DataError | None = None


def is_talk(path: Path) -> bool:
    """Whether a file is named as a recording, a transcript or a collection."""
    return path.suffix.lower() in TRANSCRIPTS | MEDIA or is_collection(path)


def is_collection(path: Path) -> bool:
    """Whether a file is named as one of many talks, one a line."""
    return path.name.endswith(COLLECTIONS)


def talks_in(path: Path) -> Iterator[Path]:
    """Yield a file, or a folder's files in order of name; a .json that describes another one is no talk.

    Yielded are also pipes and the like that are named as talks, and folders inside that may not be read:
    whoever opens them learns why nothing comes of them. Links to folders are not followed.
    """
    if not os.path.isdir(path):  # noqa: PTH112 - Path's raises where a name is too long
        yield path
        return
    found: list[Path] = []
    folders = [path]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    inside = folder / entry.name
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(inside)
                    elif is_talk(inside) and not os.path.isdir(inside):  # noqa: PTH112 - as above
                        found.append(inside)
        except OSError:
            if folder == path:
                raise
            found.append(folder)
    names = set(found)
    yield from sorted(file for file in found if not (file.suffix == ".json" and _describes(file, names)))


def _describes(file: Path, names: set[Path]) -> bool:
    return any(file.with_suffix(suffix) in names for suffix in (MEDIA | TRANSCRIPTS) - {".json"})


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """Lend a file for reading.

    Raises:
        DataError: it is not there, may not be read, or is no regular file; or it breaks while it is lent.
    """
    try:
        # Without waiting for whoever writes into a pipe.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        with open(handle, "rb") as file:  # noqa: PTH123 - it is open already
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise DataError(f"{shown(path)} is no regular file", f"hand in {KNOWN}")
            yield file
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error


def state(path: Path) -> str:
    """Return what changes with a file's content: its size and when it was written to; '' for no file."""
    try:
        about = path.stat()
    except (OSError, ValueError):
        return ""
    return f"{about.st_size} {about.st_mtime_ns}"


def condition(path: Path) -> str:
    """Return what changes with all that may keep a file out: its state, its permissions, its description."""
    files = (path, sidecar_of(path))
    return " ".join(f"{state(each)} {_changed(each)}" for each in files if each is not None)


def _changed(path: Path) -> int:
    try:
        return path.stat().st_ctime_ns
    except (OSError, ValueError):
        return 0


def digest(path: Path) -> str:
    """Return what names a file by its content; read piece by piece, a video may be large.

    Raises:
        DataError: it cannot be read, or is empty: all empty files would be one talk.
    """
    with opened(path) as file:
        found = hashlib.file_digest(file, "sha256")  # type: ignore[arg-type]
        if file.tell() == 0:
            raise DataError(f"{path.name} is empty", "fetch or export it again")
    return digest_of(found.digest())


def digest_of(sha256: bytes) -> str:
    """Return what names a content by its sha256."""
    return sha256.hex()[:DIGEST]


def read(path: Path, most: int = intake.TRANSCRIPT_BYTES) -> bytes:
    """Return what is in a file.

    Raises:
        DataError: it cannot be read, is empty, or has more than `most` bytes.
    """
    with opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        content = b"" if size > most else file.read(most + 1)
    if max(size, len(content)) > most:
        raise DataError(
            f"{shown(path)} has {max(size, len(content)):,} bytes, more than the {most:,} of a talk",
            "hand in one talk a file, or one a line in a .jsonl",
        )
    if not content:
        raise DataError(f"{path.name} is empty", "fetch or export it again")
    return content


def sidecar_of(path: Path) -> Path | None:
    """Return the .json of the same name that describes a file; None where there is none."""
    beside = path.with_suffix(".json")
    return beside if beside != path and os.path.isfile(beside) else None  # noqa: PTH113 - as above


def lines(path: Path) -> Iterator[Line]:
    """Yield the lines of a collection that are not blank.

    Raises:
        DataError: it cannot be read, is damaged, or unpacks to far more than talks would.
    """
    most, number, unpacked, blanks = intake.TRANSCRIPT_BYTES, 0, 0, 0
    with opened(path) as packed:
        allowed = most + UNPACKED * os.fstat(packed.fileno()).st_size
        file = gzip.GzipFile(fileobj=packed) if path.suffix == ".gz" else packed
        try:
            while content := file.readline(most + 1):
                number += 1
                unpacked += len(content)
                if len(content) > most:
                    why = f"line {number} of {shown(path)} has more than the {most:,} bytes of a talk"
                    yield Line(number, b"", DataError(why, "write one JSON talk on each line"))
                    return
                if unpacked > allowed:
                    raise DataError(
                        f"{shown(path)} unpacks to more than {UNPACKED} times its bytes: it is made to harm",
                        "hand it in unpacked if you know who wrote it",
                    )
                blanks = 0 if content.strip() else blanks + 1
                if blanks > BLANKS:
                    raise DataError(f"{shown(path)} has more than {BLANKS:,} blank lines", "remove them")
                if not blanks:
                    yield Line(number, content)
        except (EOFError, zlib.error) as error:
            raise _unreadable(path, error) from error


def shown(path: Path) -> str:
    """Return a path as people may see it: its name may be no text, and longer than a page."""
    name = intake.text(os.fsencode(path).decode(errors="replace"))
    return name if len(name) <= 300 else f"{name[:100]}…{name[-150:]}"


def _unreadable(path: Path, error: Exception) -> DataError:
    reason = getattr(error, "strerror", None) or error
    return DataError(f"{shown(path)} cannot be read ({reason})", "check the file and its permissions")
