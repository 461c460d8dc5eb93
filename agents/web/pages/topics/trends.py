"""/trends: shares of themes, topics and words by month, quarter or year, with 95 % intervals.

Of talks, paragraphs or minutes, as they are or standardised, with the events on the time axis, and a note
where the mix of talks changed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import Field

from agents.queries import intervals, registry
from agents.queries.like_for_like import SharesByPeriod, StandardisedShare, theme_shares, topic_shares
from agents.queries.mix import mix
from agents.queries.months import By, part
from agents.queries.rows import TimelineEvent, WordMonth
from agents.queries.timeline import timeline
from agents.queries.validation import CORRECTABLE, validities, without_errors
from agents.web.dependencies import Selected
from agents.web.pages.topics.months import PublicationPeriod
from agents.web.pages.topics.units import Of, Units, units
from agents.web.site import Site, TemplateContext
from models.stats.validation import Validity
from streams.store.codebook.effective import book
from streams.store.queries.strata import Basis, Standard

LINES = 6
"""Number of lines drawn by default, the most prevalent."""
AT_MOST = 8
"""Maximum number of lines that a reader can distinguish."""
Chosen = Annotated[list[str], Query(description="Themes to draw; none: the most prevalent.")]
Errors = Annotated[
    Literal["counted", "corrected"],
    Query(description="Shares of paragraphs as counted, or without the errors that a coded sample shows."),
]
Words = Annotated[
    list[Annotated[str, Field(max_length=200)]],
    Query(description="Words to draw: talks that mention all of them, in any form; quoted as written."),
]
Number = Annotated[int, Field(ge=1, lt=2**32)]
ChosenTopics = Annotated[list[Number], Query(description="Topics to draw; none: the most prevalent.")]


def mount(site: Site) -> None:
    """Add the page."""

    @site.page("/trends", "trends.html", twin="/api/prevalence")
    def trends(  # noqa: PLR0917 - the parameters of a page
        selected: Selected,
        of: Of = "themes",
        by: By | None = None,
        theme: Chosen = [],  # noqa: B006 - FastAPI's way to say "none"
        topic_id: ChosenTopics = [],  # noqa: B006
        basis: Basis = "talks",
        standard: Standard = "none",
        errors: Errors = "counted",
        words: Words = [],  # noqa: B006
    ) -> TemplateContext:
        found = units(site, selected, of, by)
        applied = site.ask(book, selected.codebook)
        shares = None
        if basis != "talks" or standard != "none":
            view = theme_shares if of == "themes" else topic_shares
            shares = site.ask(view, selected, applied, basis, standard, found.by)
        asked: Sequence[Any] = theme if of == "themes" else topic_id
        chosen = [unit for unit in found.names if unit in asked]
        texts = [text.strip() for text in dict.fromkeys(words) if text.strip()] if shares is None else []
        room = AT_MOST - len(texts[:AT_MOST])
        shown = chosen[:room] if chosen or texts else found.compared[:LINES]
        drawn = lines(found.rows, found.key, shown, found.columns, found.names)
        valid = _validities(site, of) if (basis, standard) == CORRECTABLE else {}
        if shares and valid and errors == "corrected":
            shares = without_errors(shares, valid, shown)
        if shares:
            drawn["lines"] = [
                {
                    "name": found.names[unit],
                    "unit": unit,
                    "points": restated_points(shares, unit, found.columns, basis),
                }
                for unit in shown
                if unit in shares.units or errors == "counted" or not valid
            ]
        events = site.ask(timeline, selected, applied)
        mentioned = {text: site.ask(registry.word_months, text, selected) for text in texts[:AT_MOST]}
        drawn["lines"] += [
            {
                "name": f"“{text}”",
                "key": "words",
                "unit": text,
                "points": word_points(rows, found.columns, found.by),
            }
            for text, rows in mentioned.items()
        ]
        return {
            "title": "Trends",
            "of": of,
            "by": found.by,
            "months": found.columns,
            "key": found.key,
            "choices": _by_theme(found) if of == "topics" else {"": found.names},
            "shown": shown,
            "words": [text.strip() for text in dict.fromkeys(words) if text.strip()],
            "words_drawn": shares is None,
            "unmentioned": [text for text, rows in mentioned.items() if not rows],
            "left_out": [found.names[unit] for unit in chosen[room:]] + texts[AT_MOST:],
            "unknown": [unit for unit in dict.fromkeys(asked) if unit not in found.names],
            "lines": drawn
            | {"layout": "each", "band": drawn["lines"][0]["name"] if drawn["lines"] else ""}
            | {"events": events_of(events, found.columns, found.by)},
            "events": events,
            "bands": [(line["name"], line["name"]) for line in drawn["lines"]],
            "twin": found.twin,
            "basis": basis,
            "standard": standard,
            "errors": errors if valid else "counted",
            "validated": bool(valid),
            "measured_as": {
                name: value
                for name, value in (
                    ("basis", basis),
                    ("standard", standard),
                    ("errors", errors if valid else "counted"),
                )
                if value not in {"talks", "none", "counted"}
            },
            "compared": max((each["covered"] for each in shares.none.values()), default=0.0)
            if shares
            else 1.0,
            "mix_changes": site.ask(mix, selected, applied)["changes"],
        }


def events_of(
    events: Sequence[TimelineEvent], months: Sequence[PublicationPeriod], by: By
) -> dict[str, list[str]]:
    """Return what happened in each column in which something did, in words."""
    columns = {month.key for month in months}
    said: dict[str, list[str]] = {}
    for event in events:
        if (column := part(event["month"], by)) in columns:
            said.setdefault(column, []).append(event["said"])
    return said


def word_points(
    rows: Sequence[WordMonth], months: Sequence[PublicationPeriod], by: By
) -> list[dict[str, Any] | None]:
    """Return the points of the line of words; None where there is no talk."""
    videos: Counter[str] = Counter()
    for row in rows:
        videos[part(row["month"], by)] += row["videos"]
    return [
        {
            "share": videos[month.key] / month.of_videos,
            "videos": videos[month.key],
            "of_videos": month.of_videos,
            **intervals.interval(videos[month.key], month.of_videos),
        }
        if month.of_videos
        else None
        for month in months
    ]


def _validities(site: Site, of: Of) -> Mapping[int | str, Validity]:
    return site.ask(validities, "theme" if of == "themes" else "topic")


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
        "key": key,
        "months": [month.key for month in months],
        "unfinished": [month.key for month in months if month.unfinished],
        "lines": [
            {
                "name": names[unit] if names else str(unit),
                "unit": unit,
                "points": [_point(found.get((unit, month.key)), month) for month in months],
            }
            for unit in shown
        ],
    }


def restated_points(
    shares: SharesByPeriod, unit: Any, months: Sequence[PublicationPeriod], basis: Basis
) -> list[dict[str, Any] | None]:
    """Return the points of a line for another basis or standard; None where no talk can be compared."""
    return [
        _restated(shares.of(unit, month.key), basis) if month.key in shares.none else None for month in months
    ]


def _restated(share: StandardisedShare, basis: Basis) -> dict[str, Any]:
    amounts = f"{share['amount']:,.0f} of {share['of_amount']:,.0f} {basis}"
    return {name: share[name] for name in ("share", "low", "high")} | {"amounts": amounts}


def _point(row: Mapping[str, Any] | None, month: PublicationPeriod) -> dict[str, Any] | None:
    if row is not None:
        return {name: row[name] for name in ("share", "low", "high", "videos", "of_videos")}
    if not month.of_videos:
        return None
    none = intervals.interval(0, month.of_videos)
    return {"share": 0.0, "videos": 0, "of_videos": month.of_videos, **none}
