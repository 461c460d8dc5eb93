"""/search: topics, talks and quotes with every word that is asked for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, NamedTuple

from fastapi import Query

from agents.web.dependencies import RequestRefused, Selected
from agents.web.site import Site, TemplateContext
from streams.store.talks.search import search

LONGEST = 200
"""Characters that a search may have."""
FOUND = 20
"""At most so many topics, talks and quotes are shown, each."""
AROUND = 240
"""Characters of a quote that are shown before and after the first word that was found."""
Words = Annotated[str, Query(description="Words; all of them have to be there.")]


class TextPart(NamedTuple):
    """A piece of a text, and whether it was looked for."""

    text: str
    found: bool


def mount(site: Site) -> None:
    """Add the page."""

    @site.page("/search", "search.html", twin="/api/search")
    def searched(selected: Selected, q: Words = "") -> TemplateContext:
        asked = q.strip()
        if len(asked) > LONGEST:
            raise RequestRefused(
                422,
                f"the search has {len(asked):,} characters",
                f"search for a few words, at most {LONGEST} characters",
            )
        found = site.ask(search, asked, selected, FOUND)
        words = asked.split()
        return {
            "title": f"Search: {asked}" if asked else "Search",
            "q": asked,
            "found": found,
            "topics": [row | {"parts": parts(row["name"], words)} for row in found["topics"]],
            "talks": [
                row | {"parts": parts(row["title"] or row["video_id"], words)} for row in found["talks"]
            ],
            "quotes": [
                row | {"parts": parts(excerpt(row["text"], found["tokens"]), found["tokens"], whole=True)}
                for row in found["quotes"]
            ],
        }


def parts(text: str, words: Sequence[str], *, whole: bool = False) -> list[TextPart]:
    """Return a text in pieces: those that are one of the words, in either case, and those between.

    Args:
        text: as it is; nothing is left out.
        words: what was looked for.
        whole: only where a word stands by itself.

    Example:
        >>> [part.text for part in parts("Agents, and an agent", ["agent"], whole=True) if part.found]
        ['agent']
        >>> [part.text for part in parts("Agents, and an agent", ["agent"]) if part.found]
        ['Agent', 'agent']
    """
    looked = _pattern(words, whole=whole)
    if looked is None:
        return [TextPart(text, found=False)]
    pieces = looked.split(text)
    return [TextPart(piece, found=bool(place % 2)) for place, piece in enumerate(pieces) if piece]


def excerpt(text: str, words: Sequence[str]) -> str:
    """Return as much of a text as is shown: around the first of the words, cut between words.

    Example:
        >>> excerpt("one two three", ["two"])
        'one two three'
        >>> short = excerpt("before " * 100 + "needle" + " after" * 100, ["needle"])
        >>> short.startswith("… before"), short.endswith("after …"), "needle" in short
        (True, True, True)
    """
    looked = _pattern(words, whole=True)
    hit = looked.search(text) if looked else None
    at = hit.start() if hit else 0
    first, last = max(0, at - AROUND), at + AROUND
    before = "… " if first else ""
    after = " …" if last < len(text) else ""
    cut = text[first:last]
    if first and " " in cut[: AROUND // 2]:
        cut = cut[cut.index(" ") + 1 :]
    if after and " " in cut[-AROUND // 2 :]:
        cut = cut[: cut.rindex(" ")]
    return before + cut + after


def _pattern(words: Sequence[str], *, whole: bool) -> re.Pattern[str] | None:
    """Return what finds the words, the longest first; a sign of a script without blanks stands by itself."""
    wanted = sorted({word for word in words if word}, key=lambda word: (-len(word), word))
    if not wanted:
        return None
    between = [
        f"(?<![^\\W_]){re.escape(word)}(?![^\\W_])" if whole and len(word) > 1 else re.escape(word)
        for word in wanted
    ]
    return re.compile(f"({'|'.join(between)})", re.IGNORECASE)
