"""A recent video as the term channel remembers it: what it says, and how it says what was rare."""

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
"""Characters of a quote, about."""


@dataclass(frozen=True)
class Phrasing:
    """The use in one recent video of one term that was rare before.

    Attributes:
        rows: the paragraphs that say it, ascending; `best` the one that says it most.
        named, plain, noun, verb: see `terms.Usage`.
        surface: as first written.
        about: it says the term as often as a video of its length says what it talks about.
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
        """How a text says a term; `often` in what talks about it."""
        about = how.count >= often
        return cls(tuple(how.rows), how.best, how.named, how.plain, how.noun, how.verb, how.surface, about)


@dataclass(frozen=True, eq=False)
class RecentVideo:
    """A recent video.

    Attributes:
        number: of arrival, from 0 on.
        day: it counts as of (see `Calendar`); `published_on` is what it says itself.
        terms: all that it says often enough, sorted.
        kept: of these, the ones that were rare, sorted.
        paragraphs: id and start (s) of the paragraphs that say those.
        directions: int8 [d] by paragraph, for the `best` ones: unit vectors, rounded.
        quotes: the sentences around each kept term, in their order, zlib of JSON; some 11 kB for a talk of an
            hour, where the texts would be 27.
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
        """The sentences around a kept term."""
        quotes: list[str] = json.loads(zlib.decompress(self.quotes))
        return quotes[list(self.kept).index(term)]

    def vector(self, term: str) -> Vectors | None:
        """Unit vector, float64 [d], of the paragraph that says a kept term most; None without vectors."""
        direction = self.directions.get(self.kept[term].best)
        return None if direction is None else unit(direction.astype(np.float64))

    def thinned(self) -> "RecentVideo":
        """The same without how it says things."""
        return replace(self, kept={}, paragraphs={}, directions={}, quotes=_packed([]))

    def moved(self, day: date) -> "RecentVideo":
        """The same, counted as of another day."""
        return replace(self, day=day)

    def to_json(self, terms: dict[str, int]) -> JSON:
        """All but quotes and directions, with terms by their number."""
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
        """The video that `to_json` described, with its directions in order of paragraphs, and its quotes."""
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
    """What to remember of a video.

    Args:
        days: it counts as of, and its own.
        vectors: float64 [n, d], unit length; d may be 0.
        terms: what counts as said, by term; `rare`, sorted, those of which to remember how.
        often: a video that says a term so many times talks about it.
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
    """The text around a mention, in whole sentences where they are short, in whole words otherwise.

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
