"""Talks to measure with: real transcripts that are not part of the project, or any file of talks."""

from __future__ import annotations

import gzip
import json
import os
import zlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from streams.errors import DataError

NAME = "talks/changelog_practicalai.jsonl.gz"
CURE = "give a file with one JSON talk a line, as groundswell ingest reads them (.jsonl or .jsonl.gz)"


def default_file() -> Path:
    """Return the file that is used when none is named: in $GROUNDSWELL_TEST_DATA, or beside the project.

    Raises:
        DataError: it is not there.
    """
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("GROUNDSWELL_TEST_DATA") or beside)
    if not (folder / NAME).exists():
        raise DataError(
            f"there are no talks to measure with: {NAME} is not in {folder}",
            "say --talks FILE (one JSON talk a line, .jsonl or .jsonl.gz), or let GROUNDSWELL_TEST_DATA name "
            "the folder that has it",
        )
    return folder / NAME


def first_talks(path: Path, count: int) -> list[bytes]:
    """Return the first lines of a file of talks, at most `count`; talks with `dup_of` are left out.

    Raises:
        DataError: it cannot be read, a line of these is not a talk, or there is no talk.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            talks = list(islice(_talks(path.name, file), count))
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(f"{path} cannot be read ({reason})", CURE) from error
    if not talks:
        raise DataError(f"{path} has no talks", CURE)
    return talks


def _talks(name: str, lines: Any) -> Iterator[bytes]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except ValueError:
            record = None
        if not isinstance(record, dict) or not record.get("segments"):
            raise DataError(f"line {number} of {name} is not a talk with segments", CURE)
        if not record.get("dup_of"):
            yield line.strip()
