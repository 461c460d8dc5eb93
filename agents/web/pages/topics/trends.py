"""/trends: shares of themes or topics by month, quarter or year, with 95 % intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import Query
from pydantic import Field

from agents.queries import intervals
from agents.queries.months import By
from agents.web.dependencies import Selected
from agents.web.pages.topics.months import PublicationPeriod
from agents.web.pages.topics.units import Of, Units, units
from agents.web.site import Site, TemplateContext

LINES = 6
"""Number of lines drawn by default, the most prevalent."""
AT_MOST = 8
"""Maximum number of lines that a reader can distinguish."""
Chosen = Annotated[list[str], Query(description="Themes to draw; none: the most prevalent.")]
Number = Annotated[int, Field(ge=1, lt=2**32)]
ChosenTopics = Annotated[list[Number], Query(description="Topics to draw; none: the most prevalent.")]


def mount(site: Site) -> None:
    """Add the page."""

    @site.page("/trends", "trends.html", twin="/api/prevalence")
    def trends(
        selected: Selected,
        of: Of = "themes",
        by: By | None = None,
        theme: Chosen = [],  # noqa: B006 - FastAPI's way to say "none"
        topic_id: ChosenTopics = [],  # noqa: B006
    ) -> TemplateContext:
        found = units(site, selected, of, by)
        asked: Sequence[Any] = theme if of == "themes" else topic_id
        chosen = [unit for unit in found.names if unit in asked]
        shown = chosen[:AT_MOST] or list(found.names)[:LINES]
        drawn = lines(found.rows, found.key, shown, found.columns, found.names)
        return {
            "title": "Trends",
            "of": of,
            "by": found.by,
            "months": found.columns,
            "key": found.key,
            "choices": _by_theme(found) if of == "topics" else {"": found.names},
            "shown": shown,
            "left_out": [found.names[unit] for unit in chosen[AT_MOST:]],
            "unknown": [unit for unit in dict.fromkeys(asked) if unit not in found.names],
            "lines": drawn | {"layout": "each", "band": drawn["lines"][0]["name"] if shown else ""},
            "bands": [(line["name"], line["name"]) for line in drawn["lines"]],
            "twin": found.twin,
        }


def _by_theme(found: Units) -> dict[str, dict[int, str]]:
    """Return the names of topics by theme."""
    made: dict[str, dict[int, str]] = {}
    for topic_id, name in found.names.items():
        made.setdefault(found.themes[topic_id], {})[topic_id] = name
    return dict(sorted(made.items()))


def lines(
    rows: Sequence[Mapping[str, Any]],
    key: str,
    shown: Sequence[Any],
    months: Sequence[PublicationPeriod],
    names: Mapping[Any, str] | None = None,
) -> dict[str, Any]:
    """Return the data of the line chart: the share and its interval for each unit and month.

    A month without any video has no share; a month with videos, but none of the unit, has the share 0.

    Args:
        rows: {month, <key>, videos, of_videos, share, low, high}.
        key: the column that says what a row is about.
        shown: the units to draw, in this order.
        months: the columns.
        names: what each unit is called; None: as it is written.
    """
    found = {(row[key], row["month"]): row for row in rows}
    return {
        "months": [month.key for month in months],
        "unfinished": [month.key for month in months if month.unfinished],
        "lines": [
            {
                "name": names[unit] if names else str(unit),
                "points": [_point(found.get((unit, month.key)), month) for month in months],
            }
            for unit in shown
        ],
    }


def _point(row: Mapping[str, Any] | None, month: PublicationPeriod) -> dict[str, Any] | None:
    if row is not None:
        return {name: row[name] for name in ("share", "low", "high", "videos", "of_videos")}
    if not month.of_videos:
        return None
    none = intervals.interval(0, month.of_videos)
    return {"share": 0.0, "videos": 0, "of_videos": month.of_videos, **none}
