"""/: overview of a period: a summary, new alerts, rising and declining topics, themes and newest talks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from agents.queries import registry
from agents.queries.mix import mix
from agents.queries.rows import Topic
from agents.web.dependencies import Selected
from agents.web.pages.overview_summary import NEW, age, summary
from agents.web.pages.progress import Pace, in_review, steps, unfinished
from agents.web.pages.topics.months import PublicationPeriod, years
from agents.web.pages.topics.periods import gathered
from agents.web.site import REFRESH_S, Site, TemplateContext, percent
from streams.state.sources import Sources
from streams.store.codebook.effective import book
from streams.store.codebook.sql_fragments import UNSORTED
from streams.store.queries import corpus
from streams.store.queries import prevalence as measure
from streams.store.queries.emerging import emerging
from streams.store.rows.prevalence import CountedTheme
from streams.store.talks import talk_queries
from streams.store.talks.listing import newest_talks

ALERTS = 100
"""Number of newest alerts of a period among which those about new subjects are searched."""
SHOWN = 3
"""Number of alerts shown."""
NEWEST = 6
"""Number of newest talks shown."""
MOVING = 5
"""Maximum number of rising, and of declining, topics listed."""
COLUMNS = 36
"""Maximum number of columns of the heatmap; longer periods are shown by quarter or year."""


def mount(site: Site) -> None:
    """Add the page."""
    pace = Pace()

    @site.page("/", "overview.html", twin="/api/themes")
    def overview(selected: Selected, refresh: str = "on") -> TemplateContext:
        status = site.ask(talk_queries.standing)
        left = unfinished(site, status)
        reviewed_next = in_review(site, left)
        applied = site.ask(book, selected.codebook)
        counted = site.ask(registry.themes, selected, applied)
        themes = [row for row in counted if row["theme"] != UNSORTED]
        topics = site.ask(registry.topics, selected, applied)
        prevalence = site.ask(measure.prevalence, selected, applied)
        by, months, cells = gathered(prevalence, "theme", site.today, most=COLUMNS)
        changing = left > reviewed_next or status["relearning"] > 0 or not status["videos"]
        now = site.runtime.parts.now()
        today = now.date()
        assigned = status["states"].get("assigned", 0)
        new = [
            {**row, "age": age(row["raised_at"], today)}
            for row in site.ask(emerging, selected, "", ALERTS)
            if row["rule"] in NEW and row["verdict"] != "dismissed"
        ]
        return {
            "title": "Overview",
            "status": status,
            "unfinished": left,
            "in_review": reviewed_next,
            "steps": steps(status["states"]),
            "remaining": pace.remaining(now, assigned, left - reviewed_next),
            "watched": 0 if status["videos"] else len(list(Sources(site.runtime.parts.blobs).watched())),
            "demo": site.web.state.demo,
            "changing": changing,
            "every_s": REFRESH_S,
            "refresh_s": REFRESH_S if changing and refresh != "off" else None,
            "corpus": site.ask(corpus.corpus, selected),
            "summary": summary(themes, topics),
            "alerts": new[:SHOWN],
            "earlier": len(new[SHOWN:]),
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
            "newest": site.ask(newest_talks, selected, NEWEST),
        }


class Cell(NamedTuple):
    """A cell of the heatmap: a theme in a month, quarter or year."""

    look: str
    """CSS classes: the level of colour, and whether the period is unfinished."""
    said: str
    """Tooltip."""
    text: str
    """Share in per cent; empty if the period has no talks."""
    videos: int = 0
    """Number of talks that discuss the theme."""


def heat(
    themes: Sequence[str], months: Sequence[PublicationPeriod], rows: Sequence[Mapping[str, Any]]
) -> dict[str, list[Cell]]:
    """Return, for each theme, a cell per month (or quarter, or year).

    Args:
        themes: whose cells.
        months: the columns.
        rows: {theme, month, videos, of_videos, share}; where there is none, no talk is about the theme.
    """
    found = {(row["theme"], row["month"]): row for row in rows}
    return {theme: [_cell(month, found.get((theme, month.key))) for month in months] for theme in themes}


def _cell(month: PublicationPeriod, row: Mapping[str, Any] | None) -> Cell:
    edge = " unfinished" if month.unfinished else ""
    if row is not None:
        said = f"{month.key}: {row['videos']} of {row['of_videos']} talks"
        return Cell(f"level-{level(row['share'])}{edge}", said, percent(row["share"], 0), row["videos"])
    if month.of_videos:
        return Cell(f"level-0{edge}", f"{month.key}: 0 of {month.of_videos} talks", "0")
    return Cell(f"none{edge}", f"{month.key}: no talks", "")


def level(share: float) -> int:
    """Return the level of colour of a share: 0 for none, then 1 to 10.

    Example:
        >>> level(0.0), level(0.01), level(0.1), level(0.11), level(1.0)
        (0, 1, 1, 2, 10)
    """
    return math.ceil(round(share * 10, 9))


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
