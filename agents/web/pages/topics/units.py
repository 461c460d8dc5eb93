"""Themes or topics as the lines of a chart over time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from agents.queries.months import By
from agents.web.pages.topics.months import PublicationPeriod
from agents.web.pages.topics.periods import gathered
from agents.web.site import Site
from streams.store.codebook.effective import book
from streams.store.codebook.sql_fragments import UNSORTED
from streams.store.queries import prevalence
from streams.store.queries.selection import Selection
from streams.store.rows.topics import NamedTopic

Of = Literal["themes", "topics"]


class Units(NamedTuple):
    """Themes or topics with a video in the selection, and their counts over time."""

    key: str
    """Column of `rows` that identifies a unit: theme or topic_id."""
    names: Mapping[Any, str]
    """Unique name of each unit, most prevalent first; topics that are in no theme come last."""
    by: By
    """Unit of a column."""
    columns: list[PublicationPeriod]
    rows: list[dict[str, Any]]
    """{month, <key>, videos, of_videos, share, low, high, paragraphs, minutes}"""
    twin: str
    """Address of the monthly rows in the API."""
    themes: Mapping[Any, str]
    """Theme of each unit."""

    @property
    def compared(self) -> list[Any]:
        """Units to rank, and to draw unasked: themes without topics that are in none, if there is a theme."""
        return [unit for unit in self.names if unit != UNSORTED] or list(self.names)


def units(site: Site, selected: Selection, of: Of, by: By | None) -> Units:
    """Return the themes or topics of a selection; `by`: as `gathered` takes it."""
    applied = site.ask(book, selected.codebook)
    if of == "themes":
        rows = site.ask(prevalence.prevalence, selected, applied)
        names = {row["theme"]: row["theme"] for row in site.ask(prevalence.themes, selected, applied)}
        return Units("theme", names, *gathered(rows, "theme", site.today, by), "/api/prevalence", names)
    by_month = site.ask(prevalence.topic_months, selected, applied)
    topics = [row for row in site.ask(prevalence.topics, selected, applied) if row["videos"]]
    return Units(
        "topic_id",
        told_apart(topics),
        *gathered(by_month, "topic_id", site.today, by),
        "/api/topic_months",
        {row["topic_id"]: row["theme"] for row in topics},
    )


def told_apart(topics: Sequence[NamedTopic]) -> dict[int, str]:
    """Return unique names of topics; topics with the same name get their number added.


    Example:
        >>> told_apart([{"topic_id": 1, "name": "RAG"}, {"topic_id": 2, "name": "RAG"}])
        {1: 'RAG (1)', 2: 'RAG (2)'}
    """
    often = Counter(row["name"] for row in topics)
    return {
        row["topic_id"]: f"{row['name']} ({row['topic_id']})" if often[row["name"]] > 1 else row["name"]
        for row in topics
    }
