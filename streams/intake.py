"""Validation of incoming data: bounds on text, dates, addresses, sizes and depth, the same for every lane.

Every event is validated when it is made, copied or read (`streams.events.base`), so no later code meets text
that cannot be encoded, or a date that the database cannot hold. Parsers of untrusted input (feeds, files)
call the same functions earlier, where they can still name the entry that is wrong.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from operator import is_not
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from streams.errors import DataError
from streams.timestamps import FIRST_DAY, LAST_DAY, known_moment

TITLE_CHARS = 2_000
DESCRIPTION_CHARS = 50_000
TRANSCRIPT_BYTES = 64 * 1024 * 1024
"""Maximum size of a ready transcript, or of one line of a collection."""
PODCAST_FEED_BYTES = 32 * 1024 * 1024
"""Maximum size of a podcast's feed: twenty years of a daily podcast."""
YOUTUBE_FEED_BYTES = 4 * 1024 * 1024
"""Maximum size of a channel's feed; a real one has 15 entries and about 60 kB."""
JSON_PARTS = 2_000_000
"""Maximum number of lists and objects in a talk: empty ones take twenty times more memory than bytes."""
JSON_DEPTH = 64
"""Maximum nesting depth of lists and objects; a talk needs four levels."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")
"""Control characters except tab and line ends, and Unicode's noncharacters U+FFFE and U+FFFF."""


def text(value: str) -> str:
    """Return valid Unicode without control characters; a lone surrogate becomes U+FFFD.

    Example:
        >>> text("RAG\\x1b[2J in \\ud83d production"), text("\\ud83d\\ude00")
        ('RAG[2J in � production', '😀')
    """
    if value.isprintable():  # many times faster than a search, and false for every character searched for
        return value
    if _SURROGATE.search(value):
        value = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return _CONTROL.sub("", value)


def moment(value: datetime) -> datetime:
    """Return a timestamp unchanged if the database can hold it.

    Raises:
        DataError: it is, in UTC, before `FIRST_DAY` or after `LAST_DAY`.
    """
    if known_moment(value) is None:
        raise DataError(
            f"the date {value.isoformat()} lies outside of {FIRST_DAY} to {LAST_DAY}",
            "correct it at its source; for a talk that you hand in, pass --published-at YYYY-MM-DD",
        )
    return value


def address(value: str) -> str:
    """Return a web address without its user and password, because addresses are stored, sent and shown.

    Example:
        >>> address("https://ann:secret@example.org/talk?t=1")
        'https://example.org/talk?t=1'
    """
    if "@" not in value:
        return value
    try:
        parts = urlsplit(value)
    except ValueError:
        return ""
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])) if parts.netloc else value


def admitted(value: Any) -> Any:
    """Return an event's field with its text cleaned and its timestamps checked; the same object if unchanged.

    Raises:
        DataError: a timestamp is out of range.
    """
    kind = type(value)
    if kind is str:
        return text(value)
    if kind is tuple:
        entered = tuple(map(admitted, value))
        return entered if any(map(is_not, entered, value)) else value
    return moment(value) if isinstance(value, datetime) else value


def json_object(content: bytes, name: str) -> dict[str, Any]:
    """Parse a JSON object that a person or a program handed in; its text is not cleaned.

    Args:
        content: in UTF-8, or UTF-16 with a byte order mark.
        name: its name in errors.

    Raises:
        DataError: it is too large, in another encoding, not JSON, nested too deeply, or not an object.
    """
    if len(content) > TRANSCRIPT_BYTES:
        raise DataError(
            f"{name} has {len(content):,} bytes, more than the {TRANSCRIPT_BYTES:,} that a talk may have",
            "hand in one talk per file, or one per line of a .jsonl",
        )
    if content.count(b"{") + content.count(b"[") > JSON_PARTS:
        raise DataError(
            f"{name} has more than {JSON_PARTS:,} lists and objects", "hand in the segments of one talk only"
        )
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        found = json.loads(content.decode(encoding))
    except UnicodeDecodeError as error:
        raise DataError(f"{name} is not text in UTF-8", "save it as UTF-8") from error
    except RecursionError as error:
        raise _too_deep(name) from error
    except ValueError as error:
        raise DataError(f"{name} is broken JSON ({error})", "fetch or export it again") from error
    if not isinstance(found, dict):
        raise DataError(
            f"{name} is JSON, but not an object", 'write a talk as {"title": "…", "segments": […]}'
        )
    level: list[Any] = [found]
    for _ in range(JSON_DEPTH):
        level = [inner for each in level for inner in _inside(each)]
        if not level:
            return found
    raise _too_deep(name)


def _inside(value: Any) -> list[Any]:
    held = value.values() if isinstance(value, dict) else value
    return [each for each in held if isinstance(each, dict | list)]


def _too_deep(name: str) -> DataError:
    return DataError(
        f"{name} is nested more than {JSON_DEPTH} levels deep",
        "correct the program that wrote it: a talk needs four",
    )
