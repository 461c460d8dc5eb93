"""/differences: themes or topics of two periods, shows, sources or speakers side by side."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from fastapi import Query

from agents.queries.differences import Units, between, compared_selections
from agents.web.dependencies import PERIOD, Selected
from agents.web.site import Site, TemplateContext, described, query
from streams.store.codebook.effective import book
from streams.store.queries.selection import Selection, select

FIELDS = (
    ("show", "Show"),
    ("channel", "Channel"),
    ("source", "Source"),
    ("speaker", "Speaker"),
    ("language", "Language"),
)
"""Fields of the other selection beside its period, and their labels."""
Period = Annotated[str, Query(max_length=10, json_schema_extra=PERIOD)]
Name = Annotated[str, Query(max_length=300)]


class Side(NamedTuple):
    """One of the two selections."""

    label: str
    selected: Selection
    talks: int


def mount(site: Site) -> None:
    """Add the page."""

    @site.page("/differences", "differences.html", section="/trends", twin="/api/differences")
    def differences(  # noqa: PLR0917 - the parameters of a page
        selected: Selected,
        of: Units = "themes",
        other_first: Period = "",
        other_last: Period = "",
        other_source: Name = "",
        other_channel: Name = "",
        other_show: Name = "",
        other_speaker: Name = "",
        other_language: Name = "",
    ) -> TemplateContext:
        applied = site.ask(book, selected.codebook)
        asked = {
            "first": other_first,
            "last": other_last,
            "source": other_source,
            "channel": other_channel,
            "show": other_show,
            "speaker": other_speaker,
            "language": other_language,
        }
        given = {f"other_{name}": value for name, value in asked.items() if value}
        other = select({name: value for name, value in asked.items() if value})
        pair = site.ask(compared_selections, selected, other, applied)
        rows = site.ask(between, pair, of, applied)
        talks = (rows[0]["of_videos"], rows[0]["other_of_videos"]) if rows else (0, 0)
        return {
            "title": "Differences",
            "of": of,
            "rows": rows,
            "given": given,
            "asked_other": asked,
            "fields": FIELDS,
            "sides": [Side(described(each), each, count) for each, count in zip(pair, talks, strict=False)],
            "csv": query(selected, of=of, **given, format="csv"),
        }
