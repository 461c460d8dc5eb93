"""Registry of the views that the API, the page and the command line can ask, by name.

Most are views of the store, unchanged. Views that need statistics on top (intervals, trends) are defined
here, so that all three clients get the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache, wraps
from typing import Any, Concatenate, Protocol

from agents.queries import months
from models.stats.trend import trend, wilson
from streams.store.cache import as_of_now
from streams.store.codebook import decisions
from streams.store.codebook.effective import EffectiveCodebook, book
from streams.store.operations import deliveries, parked, review_queue, screening, throughput
from streams.store.queries import (
    aggregation,
    alerts,
    corpus,
    emerging,
    facets,
    genealogy,
    neighbours,
    topic_speakers,
)
from streams.store.queries import (
    prevalence as measure,
)
from streams.store.queries.aggregation import Tally
from streams.store.queries.selection import EVERYTHING, NAMES, Selection, first_day, last_day, select
from streams.store.talks import listing, paragraphs, search, talk_queries, talks
from streams.store.warehouse import Row, Warehouse

MONTHS = 6
"""Length in months of the two compared periods when no first month is given."""


def prevalence(
    warehouse: Warehouse, selection: Selection = EVERYTHING, applied: EffectiveCodebook | None = None
) -> list[Row]:
    """Return the share of videos per theme and month of publication, with 95 % intervals (Wilson).

    Returns:
        Rows {month: 'YYYY-MM', theme, videos, of_videos, share, low, high, paragraphs, minutes, unfinished},
        by month, most videos first; share = videos / of_videos in [0, 1]. unfinished: the month is not over.
    """
    return _with_intervals(measure.prevalence(warehouse, selection, applied))


def topic_months(
    warehouse: Warehouse, selection: Selection = EVERYTHING, applied: EffectiveCodebook | None = None
) -> list[Row]:
    """Return the share of videos per retained topic and month of publication, with 95 % intervals (Wilson).

    Returns:
        Rows {topic_id, month: 'YYYY-MM', videos, of_videos, share, low, high, paragraphs, minutes}.
    """
    return _with_intervals(measure.topic_months(warehouse, selection, applied))


def themes(
    warehouse: Warehouse, selection: Selection = EVERYTHING, applied: EffectiveCodebook | None = None
) -> list[Row]:
    """Return each theme's prevalence in a period, over the union of its topics' videos, and its trend.

    Returns:
        Rows {theme, videos, of_videos, share, low, high, paragraphs, minutes, topics, status, trend}, most
        videos first. topics: number of its topics with a video in the period. status, trend: as in `topics`.
    """
    applied = applied or book(warehouse, selection.codebook)
    periods = _periods(warehouse, selection, applied)
    counted, *compared = measure.theme_tallies(warehouse, [selection, *periods], applied)
    compare = _Comparison(periods, compared)
    rows = measure.themes(warehouse, selection, applied, counted)
    return [row | interval(row) | compare.of(row["theme"]) for row in rows]


def topics(
    warehouse: Warehouse, selection: Selection = EVERYTHING, applied: EffectiveCodebook | None = None
) -> list[Row]:
    """Return each topic with its words, theme, prevalence and status in a period, most prevalent first.

    The status compares the period with the preceding one of equal length. Without a first month it compares
    the last six months (up to the newest talk) with the six months before them.

    Returns:
        Rows {topic_id, name, theme, origin, emerged_at, parent_id, asleep, words, videos, of_videos, share,
        low, high, paragraphs, minutes, status, trend}; topics without a video in the period have videos = 0.
        Merged topics are left out. low, high: 95 % interval of the share (Wilson).
        status is new, rising, stable, declining or dormant, or None when there is no period to compare with.
        trend: {first, last, videos, of_videos, before_first, before_last, before_videos, before_of_videos,
        change, change_low, change_high}: the difference of the two shares, with its 95 % interval.
    """
    applied = applied or book(warehouse, selection.codebook)
    periods = _periods(warehouse, selection, applied)
    counted, *compared = measure.topic_tallies(warehouse, [selection, *periods], applied)
    compare = _Comparison(periods, compared)
    rows = measure.topics(warehouse, selection, applied, counted)
    return [row | interval(row) | compare.of(row["topic_id"], asleep=row["asleep"]) for row in rows]


def topic(warehouse: Warehouse, topic_id: int) -> Row | None:
    """Return everything about one topic, or None if it does not exist; for a merged topic, about its target.

    Returns:
        {topic_id, name, theme, retained, reason, origin, emerged_at, parent_id, parent, asleep, words,
        words_at_birth, asked_id, merged: [{topic_id, name}], videos, of_videos, share, low, high, paragraphs,
        minutes, status, trend, months, drifts, genealogy, quotes, newest}; the parts come from the views
        `topics`, `topic_months`, `drifts`, `genealogy` and `quotes` (quotes: the most probable; newest: the
        newest). The figures of a topic that is not retained are None; `reason` says why.
    """
    with as_of_now(warehouse):
        applied = book(warehouse)
        found = genealogy.topic(warehouse, topic_id, applied)
        if found is None:
            return None
        known = found["topic_id"]
        by_month, quotes, newest = talk_queries.topic_talks(warehouse, known, applied=applied)
        return (
            _figures(known, by_month, found)
            | found
            | {
                "months": [
                    {"month": row["month"], "videos": row["videos"]} for row in by_month if row["videos"]
                ],
                "drifts": genealogy.drifts(warehouse, known, applied=applied),
                "genealogy": genealogy.genealogy(warehouse, known, applied),
                "quotes": quotes,
                "newest": newest,
            }
        )


def _figures(topic_id: int, by_month: Sequence[Row], about: Row) -> Row:
    """Return a topic's totals over all months, its status and trend; all None if it is not retained."""
    names = ("videos", "of_videos", "share", "low", "high", "paragraphs", "minutes", "status", "trend")
    if not about["retained"]:
        return dict.fromkeys(names)

    def added(of: Selection) -> Tally:
        rows = [row for row in by_month if (of.first or "") <= row["month"] <= (of.last or "9999")]
        sums = {name: sum(row[name] for row in rows) for name in ("videos", "paragraphs", "minutes")}
        return Tally(sum(row["of_videos"] for row in rows), {topic_id: sums})

    periods = _compared(_recent(by_month[-1]["month"])) if by_month else ()
    compare = _Comparison(periods, [added(period) for period in periods])
    ever = added(EVERYTHING)
    row = ever.units[topic_id] | {"of_videos": ever.of_videos}
    row["share"] = row["videos"] / row["of_videos"] if row["of_videos"] else 0.0
    return row | interval(row) | compare.of(topic_id, asleep=about["asleep"])


class _Comparison:
    """Comparison of each theme or topic between a period and the preceding one of equal length.

    Args:
        periods: the period and the preceding one; empty when there is nothing to compare.
        counted: the tally of each period, by theme or topic.
    """

    def __init__(self, periods: Sequence[Selection], counted: Sequence[Tally]) -> None:
        self._periods = periods
        self._counted = counted

    def of(self, unit: Any, *, asleep: bool = False) -> Row:
        """Return {status, trend} of a theme or topic."""
        if not self._periods or not all(each.of_videos for each in self._counted):
            return {"status": "dormant" if asleep else None, "trend": None}
        (now, before), (period, preceding_) = self._counted, self._periods
        videos, videos_before = (
            each.units[unit]["videos"] if unit in each.units else 0 for each in self._counted
        )
        found = trend(videos, now.of_videos, videos_before, before.of_videos)
        return {
            "status": "dormant" if asleep else found.direction,
            "trend": {
                "first": period.first,
                "last": period.last,
                "videos": videos,
                "of_videos": now.of_videos,
                "before_first": preceding_.first,
                "before_last": preceding_.last,
                "before_videos": videos_before,
                "before_of_videos": before.of_videos,
                "change": found.change,
                "change_low": found.change_interval.low,
                "change_high": found.change_interval.high,
            },
        }


def _periods(warehouse: Warehouse, selection: Selection, applied: EffectiveCodebook) -> tuple[Selection, ...]:
    """Return a selection's period, both ends set, and the equal period before it; empty without talks."""
    last = selection.last
    if last is None:
        newest = aggregation.newest(warehouse, selection, applied)
        if newest is None:
            return ()
        last = f"{newest:%Y-%m}"
    if selection.first is not None:
        return _compared(replace(selection, last=last))
    return _compared(_recent(last, selection))


def _recent(last: str, selection: Selection = EVERYTHING) -> Selection:
    """Return the selection narrowed to the last `MONTHS` months, up to the month of `last`."""
    return replace(selection, first=months.named(months.number(last[:7]) - MONTHS + 1), last=last[:7])


def _compared(period: Selection) -> tuple[Selection, Selection]:
    return period, preceding(period)


def preceding(period: Selection) -> Selection:
    """Return the period of equal length (in months or days) just before a period with both ends.

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


def interval(row: Row) -> Row:
    """Return {low, high}: the 95 % interval of the share of a row {videos, of_videos} (Wilson)."""
    low, high = _bounds(row["videos"], row["of_videos"])
    return {"low": low, "high": high}


def _with_intervals(rows: list[Row]) -> list[Row]:
    """Add {low, high} to each row in place and return the rows; there can be tens of thousands."""
    for row in rows:
        row["low"], row["high"] = _bounds(row["videos"], row["of_videos"])
    return rows


@lru_cache(maxsize=1 << 14)
def _bounds(videos: int, of_videos: int) -> tuple[float, float]:
    found = wilson(videos, of_videos)
    return found.low, found.high


def _selected(view: Callable[Concatenate[Warehouse, ...], Any]) -> Callable[..., Any]:
    """Wrap a view so that it takes the fields of its selection as separate options."""

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
        talk_queries.quotes,
        corpus.corpus,
        corpus.provenance,
        listing.listing,
        emerging.emerging,
        neighbours.neighbours,
        search.search,
        topic_speakers.speaking,
    )
} | {
    view.__name__: view
    for view in (
        talk_queries.status,
        topic,
        genealogy.genealogy,
        genealogy.drifts,
        genealogy.health,
        alerts.alerts,
        alerts.emergences,
        alerts.boilerplate,
        decisions.codebook_standing,
        decisions.codebook_revision,
        decisions.codebook_decisions,
        decisions.codebook_judgements,
        talks.talk,
        talks.talks,
        talks.corrections,
        talk_queries.dead_letters,
        talk_queries.dead_letter,
        deliveries.alerts_raised,
        deliveries.deliveries,
        deliveries.growth,
        throughput.stages,
        throughput.throughput,
        throughput.freshness,
        throughput.sources,
        throughput.failing_sources,
        facets.choices,
        paragraphs.paragraphs,
        parked.parked,
        review_queue.review_queue,
        review_queue.reviews,
    )
}
VIEWS |= {"screening_queue": screening.queue, "screening_summary": screening.summary}


class Ask(Protocol):
    """Callable that returns the result of a view in `VIEWS`, by its name."""

    def __call__(self, view: str, /, **parameters: Any) -> Any:
        """Return the result of `view` for these parameters."""


def asking(warehouse: Warehouse) -> Ask:
    """Return an `Ask` that runs views on a database opened by this process."""

    def ask(view: str, /, **parameters: Any) -> Any:
        return VIEWS[view](warehouse, **parameters)

    return ask
