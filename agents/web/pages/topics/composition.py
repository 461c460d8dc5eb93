"""/composition: division of paragraphs and minutes among themes, by month, quarter or year."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agents.queries.months import By
from agents.web.dependencies import Selected
from agents.web.pages.topics.months import PublicationPeriod
from agents.web.pages.topics.units import units
from agents.web.site import Site, TemplateContext
from streams.store.codebook.sql_fragments import UNSORTED

PARTS = 12
"""Number of themes drawn separately; the rest are one part."""


def mount(site: Site) -> None:
    """Add the page."""

    @site.page("/composition", "composition.html", section="/trends", twin="/api/prevalence")
    def composition(selected: Selected, by: By = "quarter") -> TemplateContext:
        found = units(site, selected, "themes", by)
        return {
            "title": "Composition",
            "by": by,
            "months": found.columns,
            "parts": parts(found.rows, list(found.names), found.columns),
        }


def parts(
    rows: Sequence[Mapping[str, Any]], themes: Sequence[str], months: Sequence[PublicationPeriod]
) -> dict[str, Any]:
    """Return the data of the chart: paragraphs and minutes of each theme and month, and their totals.

    A paragraph has one topic, so the parts add up to the whole, which shares of videos do not.

    Args:
        rows: {month, theme, paragraphs, minutes}.
        themes: all, the most prevalent first; those after the first `PARTS` are one part. Topics that are in
            no theme yet are the last part, as the parts have to add up.
    """
    at = {month.key: index for index, month in enumerate(months)}
    whole = [theme for theme in themes if theme != UNSORTED]
    few = whole if len(whole) <= PARTS + 1 else whole[:PARTS]
    rest = len(whole) - len(few)
    names = [*few, *([f"{rest} other themes"] if rest else []), *([UNSORTED] if UNSORTED in themes else [])]
    place = {theme: min(index, len(few)) for index, theme in enumerate(whole)} | {UNSORTED: len(names) - 1}
    made: list[dict[str, Any]] = [
        {
            "name": name,
            "theme": name if name in themes else "",
            "paragraphs": [0] * len(months),
            "minutes": [0.0] * len(months),
        }
        for name in names
    ]
    for row in rows:
        part = made[place[row["theme"]]]
        part["paragraphs"][at[row["month"]]] += row["paragraphs"]
        part["minutes"][at[row["month"]]] += row["minutes"]
    return {
        "months": list(at),
        "unfinished": [month.key for month in months if month.unfinished],
        "parts": made,
        "whole": {
            unit: [sum(part[unit][index] for part in made) for index in range(len(months))]
            for unit in ("paragraphs", "minutes")
        },
        "layout": "parts",
        "measure": "paragraphs",
    }
