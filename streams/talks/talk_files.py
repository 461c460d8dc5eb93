"""Finds and reads files of talks on this machine, up to the size that a talk may have.

Files are untrusted input: one may be a pipe, a device or a folder, have too long a path, be larger than the
memory, or vanish while it is read. Each such case is a `DataError` of that file alone.
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
"""Maximum size of a .json that only describes the file beside it."""
UNPACKED = 100
"""Maximum expansion factor of a compressed collection, beyond one talk's size; transcripts have about 10."""
NO_TALKS = 1_000
"""Maximum number of consecutive lines without a talk, after which a collection is not read further."""
BLANKS = 100_000
"""Maximum number of consecutive blank lines, likewise."""
DIGEST = 16
"""Number of hex digits of its sha256 that identify a file."""


class Line(NamedTuple):
    """A line of a collection; `number` is from 1. `error`: it is too long for a talk, and is the last one."""

    number: int
    content: bytes
    error: DataError | None = None


def is_talk(path: Path) -> bool:
    """Return whether a file has the suffix of a recording, a transcript or a collection."""
    return path.suffix.lower() in TRANSCRIPTS | MEDIA or is_collection(path)


def is_collection(path: Path) -> bool:
    """Return whether a file has the suffix of a collection: many talks, one per line."""
    return path.name.endswith(COLLECTIONS)


def talks_in(path: Path) -> Iterator[Path]:
    """Yield a file, or a folder's files in order of name, without a .json that describes another file.

    Pipes and the like with a talk's suffix are yielded too, and so are unreadable subfolders, so that opening
    them reports the error. Links to folders are not followed.
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
    """Open a file for reading in a `with` block.

    Raises:
        DataError: it is missing, unreadable or not a regular file, or reading it fails inside the block.
    """
    try:
        # Non-blocking, because opening a pipe would wait for its writer.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        with open(handle, "rb") as file:  # noqa: PTH123 - it is open already
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise DataError(f"{shown(path)} is not a regular file", f"hand in {KNOWN}")
            yield file
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error


def state(path: Path) -> str:
    """Return a text that changes with a file's content: its size and modification time; '' without a file."""
    try:
        about = path.stat()
    except (OSError, ValueError):
        return ""
    return f"{about.st_size} {about.st_mtime_ns}"


def condition(path: Path) -> str:
    """Return a text that changes with a file's state or permissions, or those of its description.

    These are all the causes for which a file can be refused.
    """
    files = (path, sidecar_of(path))
    return " ".join(f"{state(each)} {_changed(each)}" for each in files if each is not None)


def _changed(path: Path) -> int:
    try:
        return path.stat().st_ctime_ns
    except (OSError, ValueError):
        return 0


def digest(path: Path) -> str:
    """Return a file's content-based id; the file is read in pieces, because a video may be large.

    Raises:
        DataError: it cannot be read, or is empty (all empty files would have the same id).
    """
    with opened(path) as file:
        found = hashlib.file_digest(file, "sha256")  # type: ignore[arg-type]
        if file.tell() == 0:
            raise DataError(f"{path.name} is empty", "fetch or export it again")
    return digest_of(found.digest())


def digest_of(sha256: bytes) -> str:
    """Return the content-based id for a sha256."""
    return sha256.hex()[:DIGEST]


def read(path: Path, most: int = intake.TRANSCRIPT_BYTES) -> bytes:
    """Return a file's content.

    Raises:
        DataError: it cannot be read, is empty, or has more than `most` bytes.
    """
    with opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        content = b"" if size > most else file.read(most + 1)
    if max(size, len(content)) > most:
        raise DataError(
            f"{shown(path)} has {max(size, len(content)):,} bytes, more than the {most:,} that a talk may "
            "have",
            "hand in one talk per file, or one per line of a .jsonl",
        )
    if not content:
        raise DataError(f"{path.name} is empty", "fetch or export it again")
    return content


def sidecar_of(path: Path) -> Path | None:
    """Return the .json of the same name that describes a file, or None."""
    beside = path.with_suffix(".json")
    return beside if beside != path and os.path.isfile(beside) else None  # noqa: PTH113 - as above


def lines(path: Path) -> Iterator[Line]:
    """Yield the lines of a collection that are not blank.

    Raises:
        DataError: it cannot be read, is damaged, or decompresses to far more than talks would.
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
                        f"{shown(path)} decompresses to more than {UNPACKED} times its size, as malicious "
                        "files do",
                        "hand it in decompressed if you trust its author",
                    )
                blanks = 0 if content.strip() else blanks + 1
                if blanks > BLANKS:
                    raise DataError(f"{shown(path)} has more than {BLANKS:,} blank lines", "remove them")
                if not blanks:
                    yield Line(number, content)
        except (EOFError, zlib.error) as error:
            raise _unreadable(path, error) from error


def shown(path: Path) -> str:
    """Return a path as printable text of at most about 300 characters."""
    name = intake.text(os.fsencode(path).decode(errors="replace"))
    return name if len(name) <= 300 else f"{name[:100]}…{name[-150:]}"


def _unreadable(path: Path, error: Exception) -> DataError:
    reason = getattr(error, "strerror", None) or error
    return DataError(f"{shown(path)} cannot be read ({reason})", "check the file and its permissions")
