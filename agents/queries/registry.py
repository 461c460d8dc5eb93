"""Registry of the views that the API, the page and the command line can ask, by name.

Most are views of the store, unchanged. Views that need statistics on top (intervals, trends) are defined
here, so that all three clients get the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, Concatenate, Protocol, cast

from agents.queries.codebook import concept_overlap, placed_themes
from agents.queries.codebook.small_talk import small_talk
from agents.queries.comparison import PeriodComparison, compared, periods_of, recent
from agents.queries.differences import differences
from agents.queries.intervals import interval, with_intervals
from agents.queries.like_for_like import restated, theme_shares, topic_shares
from agents.queries.mix import mix
from agents.queries.rows import Theme, ThemeMonth, Topic, TopicFigures, TopicMonth, WholeTopic, WordMonth
from agents.queries.timeline import timeline
from agents.queries.validation import CORRECTABLE, corrected, validation, validities
from streams.store.cache import as_of_now
from streams.store.codebook import concepts, decisions
from streams.store.codebook import validation as coding
from streams.store.codebook.effective import EffectiveCodebook, book
from streams.store.operations import completeness, deliveries, parked, review_queue, screening, throughput
from streams.store.queries import (
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
from streams.store.queries.selection import EVERYTHING, NAMES, Selection, select
from streams.store.queries.strata import Basis, Standard
from streams.store.rows.prevalence import TopicMonthCount, UnitCount
from streams.store.rows.topics import KnownTopic
from streams.store.talks import listing, paragraphs, search, talk_queries, talks
from streams.store.talks import word_months as words
from streams.store.warehouse import Warehouse


def prevalence(
    warehouse: Warehouse,
    selection: Selection = EVERYTHING,
    applied: EffectiveCodebook | None = None,
    basis: Basis = "talks",
    standard: Standard = "none",
) -> list[ThemeMonth]:
    """Return the share of talks per theme and month of publication, with 95 % intervals (Wilson).

    By month, ordered as `themes`. `basis` makes it the share of paragraphs or minutes instead, `standard` the
    share in a mix of sources or lengths that does not change. A share of paragraphs comes also without the
    errors of the count, where people have coded a sample.
    """
    applied = applied or book(warehouse, selection.codebook)
    rows = cast("list[ThemeMonth]", measure.prevalence(warehouse, selection, applied))
    if basis == "talks" and standard == "none":
        return with_intervals(rows)
    rows = restated(rows, "theme", theme_shares(warehouse, selection, applied, basis, standard))
    valid = validities(warehouse, "theme") if (basis, standard) == CORRECTABLE else {}
    return [{**row, **corrected(valid.get(row["theme"]), row)} for row in rows]


def topic_months(
    warehouse: Warehouse,
    selection: Selection = EVERYTHING,
    applied: EffectiveCodebook | None = None,
    basis: Basis = "talks",
    standard: Standard = "none",
) -> list[TopicMonth]:
    """Return the share of talks per retained topic and month, with 95 % intervals (Wilson).

    `basis` and `standard` are as in `prevalence`.
    """
    applied = applied or book(warehouse, selection.codebook)
    rows = cast("list[TopicMonth]", measure.topic_months(warehouse, selection, applied))
    if basis == "talks" and standard == "none":
        return with_intervals(rows)
    rows = restated(rows, "topic_id", topic_shares(warehouse, selection, applied, basis, standard))
    valid = validities(warehouse, "topic") if (basis, standard) == CORRECTABLE else {}
    return [{**row, **corrected(valid.get(row["topic_id"]), row)} for row in rows]


def word_months(warehouse: Warehouse, text: str, selection: Selection = EVERYTHING) -> list[WordMonth]:
    """Return the share of talks that mention words per month, with 95 % intervals (Wilson).

    Words match in each of their forms, those in double quotes only as written; one paragraph has them all.
    The talks are those with a retained topic, as in `topic_months`. Months without a mention have no row.
    """
    rows = words.word_months(warehouse, text, selection)
    return [{**row, **interval(row["videos"], row["of_videos"])} for row in rows]


def themes(
    warehouse: Warehouse, selection: Selection = EVERYTHING, applied: EffectiveCodebook | None = None
) -> list[Theme]:
    """Return each theme's prevalence in a period, over the union of its topics' talks, and its trend.

    Most talks first; then, last, all topics that are `Not yet in a theme`. Status and trend: as in `topics`.
    """
    applied = applied or book(warehouse, selection.codebook)
    periods = periods_of(warehouse, selection, applied)
    counted, *both = measure.theme_tallies(warehouse, [selection, *periods], applied)
    compare = PeriodComparison(periods, both)
    rows = measure.themes(warehouse, selection, applied, counted)
    return [{**row, **interval(row["videos"], row["of_videos"]), **compare.of(row["theme"])} for row in rows]


def topics(
    warehouse: Warehouse, selection: Selection = EVERYTHING, applied: EffectiveCodebook | None = None
) -> list[Topic]:
    """Return each topic with its words, theme, prevalence and status in a period, most prevalent first.

    The status compares the period with the preceding one of equal length. Without a first month it compares
    the last six months (up to the newest talk) with the six months before them. Topics without a talk in the
    period have videos = 0; merged topics are left out.
    """
    applied = applied or book(warehouse, selection.codebook)
    periods = periods_of(warehouse, selection, applied)
    counted, *both = measure.topic_tallies(warehouse, [selection, *periods], applied)
    compare = PeriodComparison(periods, both)
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

    periods = compared(recent(by_month[-1]["month"])) if by_month else ()
    compare = PeriodComparison(periods, [added(period) for period in periods])
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
        word_months,
        differences,
        mix,
        timeline,
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
        facets.choices,
    )
} | {
    view.__name__: view
    for view in (
        concept_overlap.concept_overlap,
        placed_themes.placed_themes,
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
        validation,
        coding.validation_samples,
        coding.validation_draw,
        coding.coding_queue,
        coding.codings,
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
        completeness.unfinished,
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
