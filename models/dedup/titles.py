"""Titles of videos, normalised for comparison: their words, and the numbers that tell talks apart."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

LONGEST = 300
"""Characters of a title that are compared."""

_DROPPED = re.compile(
    r"[\[(]\s*(?:re-?upload(?:ed)?|re-?mastered|re-?recorded|full (?:talk|video|episode)"
    r"|official(?: video)?|hd|4k|1080p"
    r"|audio only|audio|video|english|subtitles?|cc|live|recording|repost|rerun|best of|cross-?post"
    r"|fixed audio"
    r"|better audio)\s*[\])]"
    r"|\b(?:re-?upload(?:ed)?|re-?mastered|cross-?post(?:ed)?|repost(?:ed)?|rerun|fixed audio)\b"
    r"|\b\d{4}-\d\d-\d\d(?: \d\d:\d\d)?\b",
)
"""Additions in which uploads of one talk differ; a live stream's title ends with its time."""
_ROMAN = {"i": "1", "ii": "2", "iii": "3", "iv": "4", "v": "5", "vi": "6"}
_WRITTEN = {
    "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8",
    "nine": "9", "ten": "10", "first": "1", "second": "2", "third": "3",
}  # fmt: skip
_NUMBER = rf"(\d+|{'|'.join(_ROMAN)}|{'|'.join(_WRITTEN)})"
_MARKS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("part", re.compile(rf"\b(?:part|pt\.?|teil|partie|parte)\s*\W?\s*{_NUMBER}\b(?:\s*(?:of|/)\s*\d+)?")),
    ("part", re.compile(r"[\[(]\s*(\d+)\s*(?:of|/)\s*\d+\s*[\])]|\b(\d+)\s*/\s*\d+\s*$|\b(\d+) of \d+\b")),
    (
        "session",
        re.compile(
            rf"\b(?:day|session|week|lecture|lesson|chapter|module|unit|class|volume|vol\.?|season|round"
            rf"|track|room|stage)"
            rf"\s*\W?\s*{_NUMBER}\b"
        ),
    ),
    ("episode", re.compile(r"(?:\b(?:episode|ep\.?|show|no\.?|nr\.?)\s*#?\s*|#\s*|\bs\d+e)(\d+)\b")),
    (
        "number",
        re.compile(
            r"(?<![\w])v?(\d+(?:[.,]\d+)*)(?:k|m|x|%|th|st|nd|rd|s)?(?![\w])|\b[a-z]+-?(\d+(?:\.\d+)*)\b"
        ),
    ),
)
UNKNOWN = "?"
"""A part whose number was cut off: it equals no other."""
_CUT = re.compile(r"\b(?:part|pt)\W*$")
_SMALL = """
a an and are as at be by de der die das do does for from how i in into is it la le les my no not of on or our
that the their this to und un une using via vs we what when where why will with without you your talk video
full ft feat w
"""
_STOP = frozenset(_SMALL.split())
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, eq=False)
class Title:
    """A normalised title, without additions such as "re-upload".

    Attributes:
        words: distinct words, in lower case and without accents, sorted; without stop words and numbers.
        marks: the numbers in the title by kind (part, session, episode, number).
    """

    words: tuple[str, ...]
    marks: Mapping[str, str]


@lru_cache(maxsize=20_000)
def title_of(title: str) -> Title:
    """Normalise a title.

    >>> read = title_of("Scaling Postgres, Part II (re-upload)")
    >>> read.words, dict(read.marks)
    (('postgres', 'scaling'), {'part': '2'})
    """
    text = _plain(title[:LONGEST])
    text = _DROPPED.sub(" ", text)
    marks: dict[str, list[str]] = {}
    for mark, pattern in _MARKS:
        for found in pattern.finditer(text):
            value = next(group for group in found.groups() if group)
            marks.setdefault(mark, []).append(
                _ROMAN.get(value) or _WRITTEN.get(value) or value.lstrip("0") or "0"
            )
        if mark != "number":
            text = pattern.sub(" ", text)
    if _CUT.search(text):
        marks["part"] = [UNKNOWN]
    words = {word for word in _WORD.findall(text) if word not in _STOP and not word.isdigit()}
    return Title(tuple(sorted(words)), {mark: " ".join(sorted(values)) for mark, values in marks.items()})


def name_of(name: str) -> str:
    """Return the normalised name of a person or channel.

    >>> name_of(" James O’Beirne") == name_of("james o'beirne")
    True
    """
    return " ".join(_WORD.findall(_plain(name[:LONGEST])))


def _plain(text: str) -> str:
    spread = unicodedata.normalize("NFKD", text.replace("’", "").replace("'", ""))
    return "".join(letter for letter in spread if not unicodedata.combining(letter)).casefold()
