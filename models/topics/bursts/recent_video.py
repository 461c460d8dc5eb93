"""A recent video in the term channel: its terms, and the details of those that were rare."""

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.topics.bursts.terms import Usage
from models.topics.online.centring import Vectors, unit
from models.topics.snapshot.snapshot import JSON

MOST_QUOTED = 240
"""Approximate maximum number of characters in a quote."""


@dataclass(frozen=True)
class Phrasing:
    """The use of one previously rare term in one recent video.

    Attributes:
        rows: the paragraphs with the term, ascending; `best` the one with most mentions.
        named, plain, noun, verb: see `terms.Usage`.
        surface: the first spelling.
        about: whether the video mentions the term often enough to talk about it, for its length.
    """

    rows: tuple[int, ...]
    best: int
    named: int
    plain: int
    noun: int
    verb: int
    surface: str
    about: bool

    @classmethod
    def of(cls, how: Usage, often: int) -> "Phrasing":
        """Summarise the use of a term; a text that talks about it has `often` mentions or more."""
        about = how.count >= often
        return cls(tuple(how.rows), how.best, how.named, how.plain, how.noun, how.verb, how.surface, about)


@dataclass(frozen=True, eq=False)
class RecentVideo:
    """A recent video.

    Attributes:
        number: number of arrival, from 0.
        day: the effective day (see `Calendar`); `published_on` is the video's own date.
        terms: all terms that it mentions often enough, sorted.
        kept: those of them that were rare, sorted.
        paragraphs: id and start (s) of the paragraphs that mention a kept term.
        directions: int8 [d] by paragraph, for the `best` ones: unit vectors, rounded.
        quotes: the sentences around each kept term, in their order, as zlib-compressed JSON; some 11 kB for a
            talk of an hour, whose texts would take 27.
    """

    number: int
    video_id: str
    source: str
    day: date
    published_on: date
    terms: tuple[str, ...]
    kept: dict[str, Phrasing]
    paragraphs: dict[int, tuple[str, float]]
    directions: dict[int, NDArray[np.int8]]
    quotes: bytes

    def quote(self, term: str) -> str:
        """Return the sentences around a kept term."""
        quotes: list[str] = json.loads(zlib.decompress(self.quotes))
        return quotes[list(self.kept).index(term)]

    def vector(self, term: str) -> Vectors | None:
        """Return the unit vector, float64 [d], of a kept term's best paragraph; None without vectors."""
        direction = self.directions.get(self.kept[term].best)
        return None if direction is None else unit(direction.astype(np.float64))

    def thinned(self) -> "RecentVideo":
        """Return the video without the details of its terms."""
        return replace(self, kept={}, paragraphs={}, directions={}, quotes=_packed([]))

    def moved(self, day: date) -> "RecentVideo":
        """Return the video with another effective day."""
        return replace(self, day=day)

    def to_json(self, terms: dict[str, int]) -> JSON:
        """Return everything except quotes and directions, with terms as numbers."""
        directions: list[JSON] = [*sorted(self.directions)]
        return [
            [self.number, self.video_id, self.source, self.day.isoformat(), self.published_on.isoformat()],
            [terms[term] for term in self.terms],
            [
                [terms[t], list(k.rows), k.best, k.named, k.plain, k.noun, k.verb, k.surface, k.about]
                for t, k in self.kept.items()
            ],
            [[row, *self.paragraphs[row]] for row in sorted(self.paragraphs)],
            directions,
        ]

    @classmethod
    def from_json(
        cls, state: Any, terms: Sequence[str], directions: NDArray[np.int8], quotes: bytes
    ) -> "RecentVideo":
        """Return the video that `to_json` stored; directions are in order of paragraphs."""
        (number, video_id, source, day, published_on), said, kept, paragraphs, rows = state
        return cls(
            number=number,
            video_id=video_id,
            source=source,
            day=date.fromisoformat(day),
            published_on=date.fromisoformat(published_on),
            terms=tuple(terms[index] for index in said),
            kept={terms[index]: Phrasing(tuple(at), *how) for index, at, *how in kept},
            paragraphs={row: (name, start) for row, name, start in paragraphs},
            directions=dict(zip(rows, directions, strict=True)),
            quotes=quotes,
        )


def remember(
    *,
    number: int,
    video_id: str,
    source: str,
    days: tuple[date, date],
    paragraph_ids: Sequence[str],
    starts: Sequence[float],
    texts: Sequence[str],
    vectors: Vectors,
    terms: dict[str, Usage],
    rare: Sequence[str],
    often: int,
) -> RecentVideo:
    """Return the record of a video.

    Args:
        days: the effective day, and the video's own.
        vectors: float64 [n, d], unit length; d may be 0.
        terms: the terms that count as mentioned; `rare`, sorted, those whose details are kept.
        often: mentions from which a video talks about a term.
    """
    kept = {term: Phrasing.of(terms[term], often) for term in rare}
    said_in = sorted({row for how in kept.values() for row in how.rows})
    best = sorted({how.best for how in kept.values()}) if vectors.shape[1] else []
    return RecentVideo(
        number=number,
        video_id=video_id,
        source=source,
        day=days[0],
        published_on=days[1],
        terms=tuple(sorted(terms)),
        kept=kept,
        paragraphs={row: (paragraph_ids[row], float(starts[row]) if starts else 0.0) for row in said_in},
        directions={row: _rounded(vectors[row]) for row in best},
        quotes=_packed(
            [around(texts[how.best], how.offset, len(how.surface)) for how in map(terms.get, rare) if how]
        ),
    )


def around(text: str, offset: int, length: int) -> str:
    """Return the text around a mention, cut at sentences if they are short, else at words.

    >>> around("So it goes. They shipped RAG last week. It works.", 25, 3)
    'So it goes. They shipped RAG last week. It works.'
    >>> around("one " * 90 + "RAG " + "two " * 90, 360, 3).count("RAG")
    1
    """
    begin, end = max(0, offset - MOST_QUOTED // 2), min(len(text), offset + length + MOST_QUOTED // 2)
    if begin:
        stops = [text.find(mark, begin, offset) + 2 for mark in (". ", "? ", "! ")]
        found = [stop for stop in stops if stop > 1]
        begin = min(found) if found else text.find(" ", begin, offset) + 1 or begin
    if end < len(text):
        stop = max(text.rfind(mark, offset + length, end) for mark in (". ", "? ", "! "))
        space = text.rfind(" ", offset + length, end)
        end = stop + 1 if stop >= 0 else space if space >= 0 else end
    return " ".join(text[begin:end].split())


def _rounded(vector: Vectors) -> NDArray[np.int8]:
    return np.round(vector * (127.0 / max(float(np.abs(vector).max()), 1e-12))).astype(np.int8)


def _packed(quotes: list[str]) -> bytes:
    return zlib.compress(json.dumps(quotes, ensure_ascii=False).encode(), 6)
