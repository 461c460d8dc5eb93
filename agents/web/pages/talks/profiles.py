"""/shows and /speakers: the shows and speakers of a selection, or the themes, topics and talks of one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from agents.queries import registry
from agents.web.dependencies import NEWEST, NewestTalks, Selected
from agents.web.site import Site, TemplateContext
from streams.store.codebook.effective import book
from streams.store.queries import corpus, facets
from streams.store.queries.selection import Selection
from streams.store.rows.corpus import Choice
from streams.store.talks.listing import listing

TOPICS = 12
"""Number of topics listed, the most prevalent."""
OTHERS = 12
"""Number of speakers of a show, or shows of a speaker, listed at first; those of the most talks."""
NUMBERED = re.compile(r"SPEAKER_[0-9]+")
"""A voice without a name: it is another person in every talk."""
Kind = Literal["show", "speaker"]


def mount(site: Site) -> None:
    """Add the pages."""

    @site.page("/shows", "profiles.html", section="/talks", twin="/api/choices")
    def shows(selected: Selected, talks: NewestTalks = NEWEST) -> TemplateContext:
        return _shown(site, "show", selected, talks)

    @site.page("/speakers", "profiles.html", section="/talks", twin="/api/choices")
    def speakers(selected: Selected, talks: NewestTalks = NEWEST) -> TemplateContext:
        return _shown(site, "speaker", selected, talks)


def _shown(site: Site, kind: Kind, selected: Selection, talks: int) -> TemplateContext:
    """Return the variables of the list or, where the selection names one, of its profile."""
    name: str = getattr(selected, kind)
    found = site.ask(facets.choices, selected)
    if not name:
        names = named(found, kind)
        return {"title": f"{kind.title()}s", "kind": kind, "name": "", "rows": names}
    all_talks = replace(selected, show="") if kind == "show" else replace(selected, speaker="")
    applied = site.ask(book, selected.codebook)
    topics = site.ask(registry.topics, selected, applied)
    other: Kind = "speaker" if kind == "show" else "show"
    return {
        "title": name,
        "twin": "/api/themes",
        "kind": kind,
        "name": name,
        "corpus": site.ask(corpus.corpus, selected),
        "themes": beside(
            site.ask(registry.themes, selected, applied),
            site.ask(registry.themes, all_talks, applied),
            "theme",
        ),
        "topics": beside(topics[:TOPICS], site.ask(registry.topics, all_talks, applied), "topic_id"),
        "topics_in_all": sum(row["videos"] > 0 for row in topics),
        "other": other,
        "others": named(found, other),
        "others_shown": OTHERS,
        "listed": site.ask(listing, selected, state="kept", limit=talks),
    }


def named(found: Sequence[Choice], kind: Kind) -> list[Choice]:
    """Return the shows, or the speakers that have a name.

    Example:
        >>> rows = [Choice(filter="speaker", value=name, videos=2) for name in ("Ana", "SPEAKER_00")]
        >>> [row["value"] for row in named(rows, "speaker")]
        ['Ana']
    """
    return [row for row in found if row["filter"] == kind and not NUMBERED.fullmatch(row["value"])]


def beside(
    rows: Sequence[Mapping[str, Any]], all_rows: Sequence[Mapping[str, Any]], key: str
) -> list[dict[str, Any]]:
    """Return the rows that have talks, with the share of all talks and the ratio of the two shares.

    Example:
        >>> here = {"theme": "Costs", "videos": 2, "share": 0.5}
        >>> row, *_ = beside([here], [{"theme": "Costs", "share": 0.2}], "theme")
        >>> row["share_of_all"], row["ratio"]
        (0.2, 2.5)
    """
    of_all = {row[key]: row["share"] for row in all_rows}
    return [
        {**row, "share_of_all": of_all[row[key]], "ratio": row["share"] / of_all[row[key]]}
        for row in rows
        if row["videos"]
    ]
