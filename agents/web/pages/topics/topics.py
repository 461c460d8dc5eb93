"""/topics: searchable, sortable list of topics with their shares, sparklines and words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from fastapi import Query

from agents.queries import registry, validation
from agents.queries.rows import Topic
from agents.web.dependencies import Page, Selected
from agents.web.pages.topics.months import columns, fitting
from agents.web.pages.topics.sparklines import MOST, sparklines
from agents.web.site import Site, TemplateContext
from streams.store.codebook.effective import EffectiveCodebook, book
from streams.store.queries import genealogy, prevalence

DRIFTS = 3
PAGE = 50
"""Topics per page."""
ORDERS = (("share", "Share of talks"), ("rising", "Rising first"), ("new", "Newest first"), ("name", "Name"))
Order = Annotated[Literal["share", "rising", "new", "name"], Query(description="Order of the topics.")]
Words = Annotated[str, Query(max_length=200, description="Only topics with all of these words.")]


def mount(site: Site) -> None:
    """Add the page."""

    @site.page("/topics", "topics.html", twin="/api/topics")
    def topics(
        selected: Selected, sort: Order = "share", find: Words = "", page: Page = 1
    ) -> TemplateContext:
        applied = site.ask(book, selected.codebook)
        found = [row for row in site.ask(registry.topics, selected, applied) if has(row, find)]
        by_month = site.ask(prevalence.topic_months, selected, applied)
        months = columns(by_month, site.today)
        spoken = {row["topic_id"] for row in by_month}
        counted = [topic for topic in ordered(found, sort) if topic["topic_id"] in spoken]
        shown = counted[PAGE * (page - 1) : PAGE * page]
        drawn = sparklines(by_month, months, {topic["topic_id"] for topic in shown})
        drifts = site.ask(genealogy.drifts, applied=applied)
        return {
            "title": "Topics",
            "sort": sort,
            "orders": ORDERS,
            "find": find,
            "months": months,
            "topics": [
                topic
                | {
                    "sparkline": drawn[topic["topic_id"]],
                    "drifts": [row for row in drifts if row["topic_id"] == topic["topic_id"]][:DRIFTS],
                }
                for topic in shown
            ],
            "validity": {row["topic_id"]: row for row in site.ask(validation.validation)},
            "counted": len(counted),
            "of_videos": counted[0]["of_videos"] if counted else 0,
            "page": page,
            "pages": -(-len(counted) // PAGE),
            "by": fitting(months, MOST),
            "silent": [topic for topic in found if topic["topic_id"] not in spoken],
            "excluded": excluded(applied, find),
            "merged": merged(applied, find),
        }


def has(topic: Mapping[str, Any], find: str) -> bool:
    """Return whether a topic's name, theme or words contain all of the given words, ignoring case.

    Example:
        >>> has({"name": "RAG Systems", "theme": "Architecture", "words": ["retrieval"]}, "rag retr")
        True
    """
    text = "\n".join([topic["name"], topic["theme"], *topic.get("words", ())]).casefold()
    return all(word in text for word in find.casefold().split())


def ordered(topics: Sequence[Topic], sort: str) -> list[Topic]:
    """Return topics sorted by share (the given order), change of share, birth or name."""
    match sort:
        case "rising":
            return sorted(topics, key=lambda row: -row["trend"]["change"] if row["trend"] else float("inf"))
        case "new":
            return sorted(topics, key=_birth, reverse=True)
        case "name":
            return sorted(topics, key=lambda row: row["name"].casefold())
        case _:
            return list(topics)


def _birth(row: Topic) -> float:
    """Return a topic's birth in seconds since 1970, or -inf for topics of the initial codebook."""
    return row["emerged_at"].timestamp() if row["emerged_at"] else float("-inf")


def excluded(applied: EffectiveCodebook, find: str) -> list[dict[str, Any]]:
    """Return the excluded topics that match `find`: {topic_id, name, theme, reason}."""
    return [
        {"topic_id": topic_id, "name": entry.name, "theme": entry.theme, "reason": entry.reason}
        for topic_id, entry in sorted(applied.entries.items())
        if not entry.retained
        and entry.counts_as == topic_id
        and has({"name": entry.name, "theme": entry.theme}, find)
    ]


def merged(applied: EffectiveCodebook, find: str) -> list[dict[str, Any]]:
    """Return the merged topics that match `find`: {topic_id, name, theme, into_id, into}."""
    return [
        {
            "topic_id": topic_id,
            "name": entry.name,
            "theme": entry.theme,
            "into_id": entry.counts_as,
            "into": applied.entries[entry.counts_as].name
            if entry.counts_as in applied.entries
            else f"topic {entry.counts_as}",
        }
        for topic_id, entry in sorted(applied.entries.items())
        if entry.counts_as != topic_id and has({"name": entry.name, "theme": entry.theme}, find)
    ]
