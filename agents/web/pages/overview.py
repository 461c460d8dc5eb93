"""/: overview of the study: themes and topics, new alerts, trends and progress."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from agents.queries import registry
from agents.queries.mix import mix
from agents.queries.rows import Topic
from agents.web.dependencies import Selected
from agents.web.pages.topics.months import PublicationPeriod, years
from agents.web.pages.topics.periods import gathered
from agents.web.site import Site, TemplateContext, percent
from streams.store.codebook.effective import book
from streams.store.codebook.sql_fragments import UNSORTED
from streams.store.queries import alerts
from streams.store.queries import prevalence as measure
from streams.store.rows.corpus import Status
from streams.store.rows.prevalence import CountedTheme
from streams.store.talks import talk_queries, talks

ALERTS = 20
NEWEST = 6
"""Number of newest talks shown."""
MOVING = 5
"""Maximum number of rising, and of declining, topics listed."""
COLUMNS = 36
"""Maximum number of columns of the heatmap; longer periods are shown by quarter or year."""


def mount(site: Site) -> None:
    """Add the page."""

    @site.page("/", "overview.html", twin="/api/themes")
    def overview(selected: Selected, refresh: str = "on") -> TemplateContext:
        status = site.ask(talk_queries.status)
        unfinished = _unfinished(site, status)
        applied = site.ask(book, selected.codebook)
        counted = site.ask(measure.themes, selected, applied)
        themes = [row for row in counted if row["theme"] != UNSORTED]
        topics = site.ask(registry.topics, selected, applied)
        prevalence = site.ask(measure.prevalence, selected, applied)
        by, months, cells = gathered(prevalence, "theme", site.today, most=COLUMNS)
        changing = unfinished > 0 or status["relearning"] > 0 or not status["videos"]
        return {
            "title": "Overview",
            "status": status,
            "unfinished": unfinished,
            "changing": changing,
            "refresh_s": 5 if changing and refresh != "off" else None,
            "alerts": site.ask(alerts.alerts, ALERTS),
            "themes": themes,
            "unsorted": next((row for row in counted if row["theme"] == UNSORTED), None),
            "topics": topics,
            "treemap": treemap(themes or counted, topics),
            "months": months,
            "by": by,
            "mix_changes": site.ask(mix, selected, applied)["changes"],
            "years": years(months),
            "heat": heat([row["theme"] for row in counted], months, cells),
            "rising": [row for row in topics if row["status"] in ("rising", "new")][:MOVING],
            "fading": [row for row in topics if row["status"] == "declining"][:MOVING],
            "newest": [row for row in site.ask(talks.talks, 4 * NEWEST) if row["state"] == "assigned"][
                :NEWEST
            ],
        }


class Cell(NamedTuple):
    """A cell of the heatmap: a theme in a month, quarter or year."""

    look: str
    """CSS classes: the level of colour, and whether the period is unfinished."""
    said: str
    """Tooltip."""
    text: str
    """Share in per cent; empty if the period has no videos."""


def heat(
    themes: Sequence[str], months: Sequence[PublicationPeriod], rows: Sequence[Mapping[str, Any]]
) -> dict[str, list[Cell]]:
    """Return, for each theme, a cell per month (or quarter, or year).

    Args:
        themes: whose cells.
        months: the columns.
        rows: {theme, month, videos, of_videos, share}; where there is none, no video speaks of the theme.
    """
    found = {(row["theme"], row["month"]): row for row in rows}
    return {theme: [_cell(month, found.get((theme, month.key))) for month in months] for theme in themes}


def _cell(month: PublicationPeriod, row: Mapping[str, Any] | None) -> Cell:
    edge = " unfinished" if month.unfinished else ""
    if row is not None:
        said = f"{month.key}: {row['videos']} of {row['of_videos']} videos"
        return Cell(f"level-{level(row['share'])}{edge}", said, percent(row["share"], 0))
    if month.of_videos:
        return Cell(f"level-0{edge}", f"{month.key}: 0 of {month.of_videos} videos", "0")
    return Cell(f"none{edge}", f"{month.key}: no videos", "")


def level(share: float) -> int:
    """Return the level of colour of a share: 0 for none, then 1 to 10.

    Example:
        >>> level(0.0), level(0.01), level(0.1), level(0.11), level(1.0)
        (0, 1, 1, 2, 10)
    """
    return math.ceil(round(share * 10, 9))


def _unfinished(site: Site, status: Status) -> int:
    """Return the number of videos still being processed; videos stuck as dead letters do not count."""
    if status["videos"] == sum(status["states"].get(state, 0) for state in ("assigned", "rejected")):
        return 0
    return len(site.ask(talk_queries.known_videos) - site.ask(talk_queries.finished_videos))


def treemap(themes: Sequence[CountedTheme], topics: Sequence[Topic]) -> dict[str, Any]:
    """Return the data of the treemap: themes, each with its topics, by distinct videos.

    A theme's number is the union of its topics' videos, so it is less than the sum of its boxes. Topics in no
    theme are drawn only where there is no theme at all.
    """
    return {
        "theme": "",
        "options": [(theme["theme"], theme["theme"]) for theme in themes],
        "themes": [
            {
                "name": theme["theme"],
                "videos": theme["videos"],
                "share": theme["share"],
                "topics": [
                    {
                        "id": topic["topic_id"],
                        "name": topic["name"],
                        "videos": topic["videos"],
                        "share": topic["share"],
                    }
                    for topic in topics
                    if topic["theme"] == theme["theme"] and topic["videos"]
                ],
            }
            for theme in themes
        ],
    }
