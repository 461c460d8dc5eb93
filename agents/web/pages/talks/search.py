"""/search: topics, talks and quotes that contain all of the given words, in any of their forms."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, NamedTuple

from fastapi import Query

from agents.web.dependencies import RequestRefused, Selected
from agents.web.site import Site, TemplateContext
from streams.store.codebook.effective import book
from streams.store.talks.search import Sort, search

LONGEST = 200
"""Maximum length of a search in characters."""
FOUND = 20
"""Maximum number of results shown of each kind: topics, talks, quotes."""
AROUND = 240
"""Characters of a quote shown before and after the first match."""
SORTS = (("newest", "Newest first"), ("relevance", "Most relevant first"))
Words = Annotated[
    str, Query(description="Words; a result contains all of them, those in double quotes as written.")
]
Sorted = Annotated[Sort, Query(description="Order of the quotes.")]
About = Annotated[
    str, Query(pattern=r"^([1-9][0-9]{0,8})?$", description="Only talks and quotes of this topic.")
]


class TextPart(NamedTuple):
    """A piece of a text, and whether it is a match."""

    text: str
    found: bool


def mount(site: Site) -> None:
    """Add the page."""

    @site.page("/search", "search.html", twin="/api/search")
    def searched(
        selected: Selected, q: Words = "", sort: Sorted = "newest", topic: About = ""
    ) -> TemplateContext:
        asked = q.strip()
        if len(asked) > LONGEST:
            raise RequestRefused(
                422,
                f"the search has {len(asked):,} characters",
                f"search for a few words, with at most {LONGEST} characters",
            )
        about = int(topic) if topic else None
        found = site.ask(search, asked, selected, FOUND, sort=sort, topic_id=about)
        words = [*asked.replace('"', " ").split(), *found["forms"]]
        return {
            "title": f"Search: {asked}" if asked else "Search",
            "q": asked,
            "sort": sort,
            "sorts": SORTS,
            "topic": about,
            "choices": site.ask(book, selected.codebook).retained,
            "found": found,
            "topics": [row | {"parts": parts(row["name"], words)} for row in found["topics"]],
            "talks": [
                row | {"parts": parts(row["title"] or row["video_id"], words)} for row in found["talks"]
            ],
            "quotes": [
                row | {"parts": parts(excerpt(row["text"], found["forms"]), found["forms"], whole=True)}
                for row in found["quotes"]
            ],
        }


def parts(text: str, words: Sequence[str], *, whole: bool = False) -> list[TextPart]:
    """Split a text into matches of the words, ignoring case, and the pieces between them.

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
    """Return the part of a text around the first match, cut between words.

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
    """Return a pattern for the words, longest first; a single character (CJK) needs no word boundary."""
    wanted = sorted({word for word in words if word}, key=lambda word: (-len(word), word))
    if not wanted:
        return None
    between = [
        f"(?<![^\\W_]){re.escape(word)}(?![^\\W_])" if whole and len(word) > 1 else re.escape(word)
        for word in wanted
    ]
    return re.compile(f"({'|'.join(between)})", re.IGNORECASE)
