"""Everything that the API, the page and the command line can ask, by name.

Most of it is a view of the store as it is; what needs mathematics on top is made here, so that all three
say the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import wraps
from typing import Any, Concatenate, NamedTuple

from agents import months
from models.trend import trend, wilson
from streams.store import corpus, curation, genealogy, measure, news, read, talks
from streams.store.book import Book, book
from streams.store.selection import EVERYTHING, NAMES, Selection, first_day, last_day, select
from streams.store.warehouse import Row, Warehouse

MONTHS = 6
"""Where no first month is given, the last so many months are compared with those before them."""
Measured = Callable[[Warehouse, Selection, Book], list[Row]]


def prevalence(warehouse: Warehouse, selection: Selection = EVERYTHING) -> list[Row]:
    """Share of videos per theme and month of publication, with its 95 % interval (Wilson).

    Returns:
        Rows {month: 'YYYY-MM', theme, videos, of_videos, share, low, high, paragraphs, minutes, unfinished},
        by month, most videos first; share = videos / of_videos in [0, 1]. unfinished: the month is not over.
    """
    return [row | _interval(row) for row in measure.prevalence(warehouse, selection)]


def topic_months(warehouse: Warehouse, selection: Selection = EVERYTHING) -> list[Row]:
    """Share of videos per retained topic and month of publication, with its 95 % interval (Wilson).

    Returns:
        Rows {topic_id, month: 'YYYY-MM', videos, of_videos, share, low, high, paragraphs, minutes}.
    """
    return [row | _interval(row) for row in measure.topic_months(warehouse, selection)]


def themes(warehouse: Warehouse, selection: Selection = EVERYTHING) -> list[Row]:
    """Prevalence of each theme in a period, over the union of its topics' videos, and how it changed.

    Returns:
        Rows {theme, videos, of_videos, share, low, high, paragraphs, minutes, topics, status, trend}, most
        videos first. topics: how many have a video in the period. status and trend: as of `topics`.
    """
    applied = book(warehouse, selection.codebook)
    rows = measure.themes(warehouse, selection, applied)
    compare = _Comparison(warehouse, selection, applied, measure.themes, "theme", rows)
    return [row | _interval(row) | compare.of(row) for row in rows]


def topics(warehouse: Warehouse, selection: Selection = EVERYTHING) -> list[Row]:
    """Each topic with its words, theme, prevalence and status in a period, most prevalent first.

    The status compares the period with the equal one before it; without a first month, the last six months
    (up to the newest talk) with the six before.

    Returns:
        Rows {topic_id, name, theme, origin, emerged_at, parent_id, asleep, words, videos, of_videos, share,
        low, high, paragraphs, minutes, status, trend}; topics without a video in the period have videos = 0.
        Merged ones are not among them. low, high: 95 % interval of the share (Wilson).
        status is new, rising, stable, declining or dormant, or None where there is nothing to compare with.
        trend: {first, last, videos, of_videos, before_first, before_last, before_videos, before_of_videos,
        change, change_low, change_high}: shares in [0, 1], with the 95 % interval of their difference.
    """
    applied = book(warehouse, selection.codebook)
    rows = measure.topics(warehouse, selection, applied)
    compare = _Comparison(warehouse, selection, applied, measure.topics, "topic_id", rows)
    return [row | _interval(row) | compare.of(row) for row in rows]


def topic(warehouse: Warehouse, topic_id: int) -> Row | None:
    """Everything about one topic, or None where there is none; of a merged one, of where it ended up.

    Returns:
        {topic_id, name, theme, retained, reason, origin, emerged_at, parent_id, parent, asleep, words,
        words_at_birth, asked_id, merged: [{topic_id, name}], videos, of_videos, share, low, high, paragraphs,
        minutes, status, trend, months, drifts, genealogy, quotes, newest}; the parts are those of the views
        `topics`, `topic_months`, `drifts`, `genealogy` and `quotes` (the most probable; `newest`: those). One
        that is not retained has no figures; `reason` says why.
    """
    applied = book(warehouse)
    known = applied.counts_as(topic_id)
    found = genealogy.topic(warehouse, known)
    if found is None:
        return None
    counted = next((row for row in topics(warehouse) if row["topic_id"] == known), {})
    figures = ("videos", "of_videos", "share", "low", "high", "paragraphs", "minutes", "status", "trend")
    merged = [
        {"topic_id": each, "name": applied.entries[each].name}
        for each in applied.family(known)
        if each != known
    ]
    return (
        {name: counted.get(name) for name in figures}
        | found
        | {"asked_id": topic_id, "merged": merged}
        | {
            "months": [
                {"month": row["month"], "videos": row["videos"]}
                for row in measure.topic_months(warehouse)
                if row["topic_id"] == known
            ],
            "drifts": genealogy.drifts(warehouse, known),
            "genealogy": genealogy.genealogy(warehouse, known),
            "quotes": read.quotes(warehouse, known),
            "newest": read.quotes(warehouse, known, newest=True),
        }
    )


class _Counts(NamedTuple):
    """Videos of each theme or topic in a period, and of any."""

    selection: Selection
    videos: Mapping[Any, int]
    of_videos: int


class _Comparison:
    """A period and the equal one before it, and how many videos each theme or topic has in them.

    Args:
        measured: what counts them, and `key`: which column says what a row is about.
        rows: what it says of `selection`.
    """

    def __init__(  # noqa: PLR0917
        self,
        warehouse: Warehouse,
        selection: Selection,
        applied: Book,
        measured: Measured,
        key: str,
        rows: Sequence[Row],
    ) -> None:
        self._key = key
        self._now = self._before = _Counts(selection, {}, 0)
        period = _period(warehouse, selection, applied)
        if period is not None:
            same = period == selection
            self._now = self._counts(period, rows if same else measured(warehouse, period, applied))
            before = preceding(period)
            self._before = self._counts(before, measured(warehouse, before, applied))

    def _counts(self, selection: Selection, rows: Sequence[Row]) -> _Counts:
        of_videos = max((row["of_videos"] for row in rows), default=0)
        return _Counts(selection, {row[self._key]: row["videos"] for row in rows}, of_videos)

    def of(self, row: Row) -> Row:
        """Return {status, trend} of a theme or topic."""
        now, before, asleep = self._now, self._before, row.get("asleep", False)
        if not before.of_videos or not now.of_videos:
            return {"status": "dormant" if asleep else None, "trend": None}
        videos, videos_before = now.videos.get(row[self._key], 0), before.videos.get(row[self._key], 0)
        found = trend(videos, now.of_videos, videos_before, before.of_videos)
        return {
            "status": "dormant" if asleep else found.direction,
            "trend": {
                "first": now.selection.first,
                "last": now.selection.last,
                "videos": videos,
                "of_videos": now.of_videos,
                "before_first": before.selection.first,
                "before_last": before.selection.last,
                "before_videos": videos_before,
                "before_of_videos": before.of_videos,
                "change": found.change,
                "change_low": found.change_interval.low,
                "change_high": found.change_interval.high,
            },
        }


def _period(warehouse: Warehouse, selection: Selection, applied: Book) -> Selection | None:
    """Return the selection with both ends; None where there are no talks to say the last."""
    last = selection.last
    if last is None:
        counted = measure.months(warehouse, selection, applied)
        last = max((row["month"] for row in counted), default=None)
    if last is None:
        return None
    if selection.first is not None:
        return replace(selection, last=last)
    return replace(selection, first=months.named(months.number(last[:7]) - MONTHS + 1), last=last[:7])


def preceding(period: Selection) -> Selection:
    """Return the equal period just before one with both ends: as many months, or as many days.

    Example:
        >>> preceding(Selection("2025-04", "2025-06")).first
        '2025-01'
        >>> preceding(Selection("2025-04-01", "2025-04-10")).first
        '2025-03-22'
    """
    assert period.first is not None and period.last is not None
    if len(period.first) == len(period.last) == len("YYYY-MM"):
        first, last = months.number(period.first), months.number(period.last)
        return replace(period, first=months.named(2 * first - last - 1), last=months.named(first - 1))
    first_of, last_of = first_day(period.first), last_day(period.last)
    length = last_of - first_of + timedelta(days=1)
    end = first_of - timedelta(days=1)
    return replace(period, first=(first_of - length).isoformat(), last=end.isoformat())


def _interval(row: Row) -> Row:
    found = wilson(row["videos"], row["of_videos"])
    return {"low": found.low, "high": found.high}


def _selected(view: Callable[Concatenate[Warehouse, ...], Any]) -> Callable[..., Any]:
    """Let a view take its selection as the options that make one."""

    @wraps(view)
    def asked(warehouse: Warehouse, **options: Any) -> Any:
        rest = {name: value for name, value in options.items() if name not in NAMES}
        return view(warehouse, selection=select(options), **rest)

    return asked


VIEWS: dict[str, Callable[..., Any]] = {
    view.__name__: _selected(view)
    for view in (
        prevalence,
        themes,
        topics,
        topic_months,
        measure.cooccurrence,
        measure.videos,
        read.quotes,
        corpus.corpus,
        corpus.provenance,
    )
} | {
    view.__name__: view
    for view in (
        read.status,
        topic,
        genealogy.genealogy,
        genealogy.drifts,
        genealogy.health,
        news.alerts,
        news.emergences,
        news.boilerplate,
        curation.codebook_standing,
        curation.codebook_revision,
        curation.codebook_decisions,
        curation.codebook_judgements,
        talks.talk,
        talks.talks,
        talks.corrections,
        read.dead_letters,
        read.dead_letter,
    )
}
