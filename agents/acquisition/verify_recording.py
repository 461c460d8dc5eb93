"""Verification of recordings: each is decoded to its end and compared with its stated length.

Decoding runs in a child process: a file from the network may crash native code, and then only that process
ends.
"""

from __future__ import annotations

import multiprocessing
import signal
from multiprocessing.connection import Connection
from pathlib import Path

from models.audio.samples import measure
from models.errors import BadInput
from streams.errors import DataError

SHARE = 0.95
MISSING_S = 30.0
"""A recording is too short if it lasts less than SHARE of its stated length and MISSING_S seconds less."""


class RecordingError(DataError):
    """A file is not the expected recording; fetching it again may help."""


def verify(path: Path, stated_s: float | None) -> float:
    """Return the length of a recording (seconds), measured by decoding all of it in bounded memory.

    Args:
        path: the file.
        stated_s: the length that its metadata state (seconds); None: unknown. The recording may be longer.

    Raises:
        RecordingError: it is empty, not media, damaged, without sound, or too short.
        OSError: the file cannot be read at all.
    """
    lasts_s = _measured(path)
    if stated_s is not None and lasts_s < SHARE * stated_s and stated_s - lasts_s > MISSING_S:
        raise RecordingError(
            f"the recording lasts {lasts_s:.0f} s, but it should last {stated_s:.0f} s",
            "open it in a browser: if it is complete there, replay; if it was cut, ingest it by hand",
        )
    return lasts_s


def _measured(path: Path) -> float:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_measure, args=(theirs, path), daemon=True)
    process.start()
    theirs.close()
    try:
        result = ours.recv()
    except EOFError:
        process.join()
        raise RecordingError(
            f"the decoder ended in the middle of {path.name} (exit code {process.exitcode})",
            "convert it to another format by hand and ingest it, or replay",
        ) from None
    finally:
        ours.close()
        process.join()
    if isinstance(result, BadInput):
        raise RecordingError(result.cause, f"{result.cure}; then replay") from result
    if isinstance(result, Exception):
        raise result
    return float(result)


def _measure(connection: Connection, path: Path) -> None:
    """Measure in the child process; the parent handles Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        connection.send(measure(path))
    except Exception as error:
        connection.send(error)
