"""Registry of the views that the API, the page and the command line can ask, by name.

Most are views of the store, unchanged. Views that need statistics on top (intervals, trends) are defined
here, so that all three clients get the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import lru_cache, wraps
from typing import Any, Concatenate, Protocol, TypeVar, cast

from agents.queries import months
from agents.queries.rows import (
    Comparison,
    Interval,
    Share,
    Theme,
    ThemeMonth,
    Topic,
    TopicFigures,
    TopicMonth,
    WholeTopic,
)
from agents.queries.small_talk import small_talk
from models.stats.trend import trend, wilson
from streams.store.cache import as_of_now
from streams.store.codebook import concepts, decisions
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
from streams.store.queries import prevalence as measure
from streams.store.queries.aggregation import Tally
from streams.store.queries.selection import EVERYTHING, NAMES, Selection, first_day, last_day, select
from streams.store.rows.prevalence import TopicMonthCount, UnitCount
from streams.store.rows.topics import KnownTopic
from streams.store.talks import listing, paragraphs, search, talk_queries, talks
from streams.store.warehouse import Warehouse

S = TypeVar("S", bound=Share)
MONTHS = 6
"""Length in months of the two compared periods when no first month is given."""


def prevalence(
    warehouse: Warehouse, selection: Selection = EVERYTHING, applied: EffectiveCodebook | None = None
) -> list[ThemeMonth]:
    """Return the share of videos per theme and month of publication, with 95 % intervals (Wilson).

    By month, most videos first.
    """
    return _with_intervals(cast("list[ThemeMonth]", measure.prevalence(warehouse, selection, applied)))


def topic_months(
    warehouse: Warehouse, selection: Selection = EVERYTHING, applied: EffectiveCodebook | None = None
) -> list[TopicMonth]:
    """Return the share of videos per retained topic and month, with 95 % intervals (Wilson)."""
    return _with_intervals(cast("list[TopicMonth]", measure.topic_months(warehouse, selection, applied)))


def themes(
    warehouse: Warehouse, selection: Selection = EVERYTHING, applied: EffectiveCodebook | None = None
) -> list[Theme]:
    """Return each theme's prevalence in a period, over the union of its topics' videos, and its trend.

    Themes with the most videos come first; status and trend are defined as in `topics`.
    """
    applied = applied or book(warehouse, selection.codebook)
    periods = _periods(warehouse, selection, applied)
    counted, *compared = measure.theme_tallies(warehouse, [selection, *periods], applied)
    compare = _Comparison(periods, compared)
    rows = measure.themes(warehouse, selection, applied, counted)
    return [{**row, **interval(row["videos"], row["of_videos"]), **compare.of(row["theme"])} for row in rows]


def topics(
    warehouse: Warehouse, selection: Selection = EVERYTHING, applied: EffectiveCodebook | None = None
) -> list[Topic]:
    """Return each topic with its words, theme, prevalence and status in a period, most prevalent first.

    The status compares the period with the preceding one of equal length. Without a first month it compares
    the last six months (up to the newest talk) with the six months before them. Topics without a video in the
    period have videos = 0; merged topics are left out.
    """
    applied = applied or book(warehouse, selection.codebook)
    periods = _periods(warehouse, selection, applied)
    counted, *compared = measure.topic_tallies(warehouse, [selection, *periods], applied)
    compare = _Comparison(periods, compared)
    rows = measure.topics(warehouse, selection, applied, counted)
    return [
        {
            **row,
            **interval(row["videos"], row["of_videos"]),
            **compare.of(row["topic_id"], asleep=row["asleep"]),
        }
        for row in rows
    ]


def topic(warehouse: Warehouse, topic_id: int) -> WholeTopic | None:
    """Return everything about one topic, or None if it does not exist; for a merged topic, about its target.

    Its parts come from the views `topics`, `topic_months`, `drifts`, `genealogy` and `quotes`.
    """
    with as_of_now(warehouse):
        applied = book(warehouse)
        found = genealogy.topic(warehouse, topic_id, applied)
        if found is None:
            return None
        known = found["topic_id"]
        by_month, quotes, newest = talk_queries.topic_talks(warehouse, known, applied=applied)
        return {
            **_figures(known, by_month, found),
            **found,
            "months": [{"month": row["month"], "videos": row["videos"]} for row in by_month if row["videos"]],
            "drifts": genealogy.drifts(warehouse, known, applied=applied),
            "genealogy": genealogy.genealogy(warehouse, known, applied),
            "quotes": quotes,
            "newest": newest,
        }


def _figures(topic_id: int, by_month: Sequence[TopicMonthCount], about: KnownTopic) -> TopicFigures:
    """Return a topic's totals over all months, its status and trend; all None if it is not retained."""
    if not about["retained"]:
        return cast(TopicFigures, dict.fromkeys(TopicFigures.__annotations__))

    def added(of: Selection) -> Tally:
        rows = [row for row in by_month if (of.first or "") <= row["month"] <= (of.last or "9999")]
        videos, of_videos = sum(row["videos"] for row in rows), sum(row["of_videos"] for row in rows)
        count: UnitCount = {
            "videos": videos,
            "paragraphs": sum(row["paragraphs"] for row in rows),
            "minutes": sum(row["minutes"] for row in rows),
            "of_videos": of_videos,
            "share": videos / of_videos if of_videos else 0.0,
            "topics": 1,
        }
        return Tally(of_videos, {topic_id: count})

    periods = _compared(_recent(by_month[-1]["month"])) if by_month else ()
    compare = _Comparison(periods, [added(period) for period in periods])
    ever = added(EVERYTHING).units[topic_id]
    return {
        "videos": ever["videos"],
        "paragraphs": ever["paragraphs"],
        "minutes": ever["minutes"],
        "of_videos": ever["of_videos"],
        "share": ever["share"],
        **interval(ever["videos"], ever["of_videos"]),
        **compare.of(topic_id, asleep=about["asleep"]),
    }


class _Comparison:
    """Comparison of each theme or topic between a period and the preceding one of equal length.

    Args:
        periods: the period and the preceding one; empty when there is nothing to compare.
        counted: the tally of each period, by theme or topic.
    """

    def __init__(self, periods: Sequence[Selection], counted: Sequence[Tally]) -> None:
        self._periods = periods
        self._counted = counted

    def of(self, unit: Any, *, asleep: bool = False) -> Comparison:
        """Return the status and trend of a theme or topic."""
        if not self._periods or not all(each.of_videos for each in self._counted):
            return {"status": "dormant" if asleep else None, "trend": None}
        (now, before), (period, preceding_) = self._counted, self._periods
        videos, videos_before = (
            each.units[unit]["videos"] if unit in each.units else 0 for each in self._counted
        )
        found = trend(videos, now.of_videos, videos_before, before.of_videos)
        assert period.first and period.last and preceding_.first and preceding_.last, "periods have both ends"
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


def interval(videos: int, of_videos: int) -> Interval:
    """Return the 95 % interval (Wilson) of a share."""
    low, high = _bounds(videos, of_videos)
    return {"low": low, "high": high}


def _with_intervals(rows: list[S]) -> list[S]:
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
        small_talk,
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
        concepts.concept_judgements,
        concepts.doubtful,
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
