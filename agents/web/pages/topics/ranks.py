"""/ranks: rank of themes or topics over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import Query

from agents.queries.months import By
from agents.web.dependencies import Selected
from agents.web.pages.topics.months import PublicationPeriod
from agents.web.pages.topics.units import Of, units
from agents.web.site import Site, TemplateContext

RANKS = (5, 10, 15)
"""Choices for the number of lines."""
Most = Annotated[int, Query(ge=2, le=20, description="Number ranked, the most prevalent.")]


def mount(site: Site) -> None:
    """Add the page."""

    @site.page("/ranks", "ranks.html", section="/trends", twin="/api/prevalence")
    def ranks(selected: Selected, of: Of = "themes", by: By = "quarter", most: Most = 10) -> TemplateContext:
        found = units(site, selected, of, by)
        shown = found.compared[:most]
        return {
            "title": "Ranks",
            "of": of,
            "by": by,
            "most": most,
            "all": len(found.compared),
            "options": [(each, str(each)) for each in RANKS],
            "months": found.columns,
            "ranks": ranked(found.rows, found.key, shown, found.columns, found.names),
            "twin": found.twin,
        }


def ranked(
    rows: Sequence[Mapping[str, Any]],
    key: str,
    shown: Sequence[Any],
    months: Sequence[PublicationPeriod],
    names: Mapping[Any, str],
) -> dict[str, Any]:
    """Return the rank of each unit in each month among those shown; rank 1 has the most videos.

    Among units with the same number of videos, the one that is more prevalent over the whole period comes
    first, and `tied` is set. A unit without videos has no rank.

    Args:
        rows: {month, <key>, videos, of_videos, share}.
        shown: the units, the most prevalent over the whole period first.
    """
    found = {(row["month"], row[key]): row for row in rows}
    points: dict[Any, list[dict[str, Any] | None]] = {unit: [] for unit in shown}
    for month in months:
        present = [found[month.key, unit] for unit in shown if (month.key, unit) in found]
        videos = [row["videos"] for row in present]
        places = {
            row[key]: place for place, row in enumerate(sorted(present, key=lambda row: -row["videos"]), 1)
        }
        for unit in shown:
            row = found.get((month.key, unit))
            points[unit].append(
                {
                    "rank": places[unit],
                    "tied": videos.count(row["videos"]) > 1,
                    "videos": row["videos"],
                    "of_videos": row["of_videos"],
                    "share": row["share"],
                }
                if row
                else None
            )
    return {
        "key": key,
        "months": [month.key for month in months],
        "unfinished": [month.key for month in months if month.unfinished],
        "lines": [{"name": names[unit], "unit": unit, "points": points[unit]} for unit in shown],
    }
