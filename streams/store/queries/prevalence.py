"""Queries of prevalence: shares of topics and themes, and pairs of topics in the same videos.

Prevalence is defined the same everywhere: videos with at least one paragraph of a topic, over videos with at
least one paragraph of any retained topic, by day of publication. A row of `video_topics` is a video, so it
counts once; these queries apply merges and the codebook, so curation never processes a talk again. `applied`
is the codebook as of the selection's revision: a caller with several queries passes it, else each reads it.
"""

from __future__ import annotations

import json
from collections.abc import Container, Mapping, Sequence
from typing import Any

from streams.store.codebook.effective import EffectiveCodebook, EffectiveEntry, book
from streams.store.codebook.sql_fragments import UNSORTED
from streams.store.codebook.topic_facts import facts
from streams.store.queries import aggregation
from streams.store.queries.aggregation import AT_ONCE, UNITS, Tally, by_theme, by_topic, mapped, talks
from streams.store.queries.selection import EVERYTHING, Selection
from streams.store.rows.prevalence import (
    CountedTheme,
    CountedThemeMonth,
    CountedTopic,
    CountedTopicMonth,
    MonthTotal,
    Pair,
    TopicVideo,
    UnitCount,
)
from streams.store.rows.topics import TopicFacts
from streams.store.warehouse import Warehouse, strings, typed

PAIRS = 2**32
"""A pair of topics is grouped by one number: the first topic times this, plus the other."""
ANY = 0
"""Stands for any topic that counts, so that one scan counts everything: its pair with itself is the talks,
its pair with a topic is that topic's talks; every other topic is paired with those after it."""
NOT_ASKED = 2**32 - 1
"""Stands for topics that count and whose pairs are not wanted."""


def prevalence(
    warehouse: Warehouse, selection: Selection = EVERYTHING, applied: EffectiveCodebook | None = None
) -> list[CountedThemeMonth]:
    """Return the share of videos per theme and month of publication, by month, ordered as `themes`."""
    applied = applied or book(warehouse, selection.codebook)
    units, names = by_theme(applied)
    rows: list[CountedThemeMonth] = [
        {
            "month": month,
            "theme": names[unit],
            "videos": videos,
            "of_videos": of_videos,
            "share": videos / of_videos,
            "paragraphs": paragraphs,
            "minutes": minutes,
            "unfinished": bool(unfinished),
        }
        for month, unit, videos, of_videos, paragraphs, minutes, unfinished in aggregation.monthly(
            warehouse, selection, applied, units
        )
    ]
    return sorted(rows, key=lambda row: (row["month"], *_rank(row)))


def themes(
    warehouse: Warehouse,
    selection: Selection = EVERYTHING,
    applied: EffectiveCodebook | None = None,
    counted: Tally | None = None,
) -> list[CountedTheme]:
    """Return the prevalence of each theme in a period, most videos first.

    A theme counts the union of its topics' videos, not their sum. Topics that are in no theme yet are counted
    together: their row is no theme (`UNSORTED`), so it comes last. `counted`: this selection's counts from
    `theme_tallies`, where the caller has them.
    """
    applied = applied or book(warehouse, selection.codebook)
    counted = counted or theme_tallies(warehouse, [selection], applied)[0]
    rows: list[CountedTheme] = [{"theme": theme, **row} for theme, row in counted.units.items()]
    return sorted(rows, key=_rank)


def _rank(row: CountedTheme | CountedThemeMonth) -> tuple[bool, int, str]:
    return row["theme"] == UNSORTED, -row["videos"], row["theme"]


def topics(
    warehouse: Warehouse,
    selection: Selection = EVERYTHING,
    applied: EffectiveCodebook | None = None,
    counted: Tally | None = None,
) -> list[CountedTopic]:
    """Return each retained topic with its words, theme and prevalence in a period, most prevalent first.

    Merged topics are left out. `counted`: this selection's counts from `topic_tallies`, where the caller has
    them.
    """
    applied = applied or book(warehouse, selection.codebook)
    counted = counted or topic_tallies(warehouse, [selection], applied)[0]
    nothing: UnitCount = {
        "videos": 0,
        "of_videos": counted.of_videos,
        "share": 0.0,
        "paragraphs": 0,
        "minutes": 0.0,
        "topics": 0,
    }
    known = facts(warehouse, applied.model_version)
    rows = [
        _topic(entry, known[entry.topic_id], counted.units.get(entry.topic_id, nothing))
        for entry in applied.retained
        if entry.topic_id in known
    ]
    return sorted(rows, key=lambda row: (-row["videos"], row["topic_id"]))


def _topic(entry: EffectiveEntry, known: TopicFacts, counted: UnitCount) -> CountedTopic:
    return {
        "topic_id": entry.topic_id,
        "name": entry.name,
        "theme": entry.theme,
        "origin": known["origin"],
        "emerged_at": known["emerged_at"],
        "parent_id": known["parent_id"],
        "asleep": known["asleep"],
        "doubted_since": known["doubted_since"],
        "words": known["words"],
        "videos": counted["videos"],
        "of_videos": counted["of_videos"],
        "share": counted["share"],
        "paragraphs": counted["paragraphs"],
        "minutes": counted["minutes"],
    }


def topic_months(
    warehouse: Warehouse, selection: Selection = EVERYTHING, applied: EffectiveCodebook | None = None
) -> list[CountedTopicMonth]:
    """Return the videos per retained topic and month of publication, where there are any; by both."""
    applied = applied or book(warehouse, selection.codebook)
    return [
        {
            "topic_id": unit,
            "month": month,
            "videos": videos,
            "of_videos": of_videos,
            "share": videos / of_videos,
            "paragraphs": paragraphs,
            "minutes": minutes,
        }
        for month, unit, videos, of_videos, paragraphs, minutes, _ in aggregation.monthly(
            warehouse, selection, applied, by_topic(applied)
        )
    ]


def months(
    warehouse: Warehouse, selection: Selection = EVERYTHING, applied: EffectiveCodebook | None = None
) -> list[MonthTotal]:
    """Return the videos with any retained topic per month of publication, by month."""
    counted = aggregation.months(warehouse, selection, applied or book(warehouse, selection.codebook))
    return [{"month": month, "of_videos": videos} for month, videos in counted.items()]


def cooccurrence(
    warehouse: Warehouse,
    selection: Selection = EVERYTHING,
    limit: int = 1000,
    applied: EffectiveCodebook | None = None,
    among: Container[int] | None = None,
) -> list[Pair]:
    """Return pairs of topics that have talks with at least one paragraph of each, most talks first.

    Args:
        warehouse: the study.
        selection: the talks to count.
        limit: the most pairs to return.
        applied: the codebook; None: that of the selection.
        among: only pairs of these topics; None: of all.
    """
    applied = applied or book(warehouse, selection.codebook)
    units = by_topic(applied)
    wanted = {unit for unit in units.values() if among is None or unit in among}
    if not wanted:
        return []
    rows = warehouse.rows(
        f"""
        SELECT toUInt64(one) * {PAIRS} + other AS pair, count() AS videos
        FROM (
            SELECT one, arraySlice(present, at + (one > {ANY})) AS others
            FROM (
                SELECT {UNITS} AS counts,
                       arrayPushBack(arrayFilter(unit -> unit != {NOT_ASKED}, counts), {ANY}) AS with_any,
                       arrayCompact(arraySort(with_any)) AS present
                {talks(selection)} AND arrayExists(unit -> unit > 0, counts)
            )
            ARRAY JOIN present AS one, arrayEnumerate(present) AS at
        )
        ARRAY JOIN others AS other
        GROUP BY pair ORDER BY pair < {PAIRS} DESC, videos DESC, pair LIMIT {{limit:UInt32}} {AT_ONCE}
        """,
        **selection.parameters,
        **mapped({known: unit if unit in wanted else NOT_ASKED for known, unit in units.items()}),
        model=applied.model_version,
        limit=limit + len(wanted) + 1,
    )
    counted = {divmod(row["pair"], PAIRS): row["videos"] for row in rows}
    together = [pair for pair in counted if ANY not in pair]
    return [_pair(pair, counted, applied) for pair in together[:limit]]


def _pair(pair: tuple[int, int], counted: Mapping[tuple[int, int], int], applied: EffectiveCodebook) -> Pair:
    one, other = pair
    videos, of_videos = counted[pair], counted[ANY, ANY]
    topic_videos, other_videos = counted[ANY, one], counted[ANY, other]
    return {
        "topic_id": one,
        "name": applied.entries[one].name,
        "other_id": other,
        "other": applied.entries[other].name,
        "videos": videos,
        "topic_videos": topic_videos,
        "other_videos": other_videos,
        "of_videos": of_videos,
        "jaccard": videos / (topic_videos + other_videos - videos),
        "lift": videos * of_videos / (topic_videos * other_videos),
    }


def videos(  # noqa: PLR0917 - the parameters of a query
    warehouse: Warehouse,
    topic_id: int,
    other_id: int | None = None,
    selection: Selection = EVERYTHING,
    limit: int = 100,
    applied: EffectiveCodebook | None = None,
) -> list[TopicVideo]:
    """Return the talks with a paragraph of a topic, and of the other one if given; the newest first."""
    applied = applied or book(warehouse, selection.codebook)
    wanted = {applied.counts_as(each) for each in (topic_id, other_id) if each is not None}
    units = {known: entry.topic_id for known, entry in applied.counted.items() if entry.topic_id in wanted}
    return _listed(warehouse, units, selection, limit, applied) if set(units.values()) == wanted else []


def theme_videos(
    warehouse: Warehouse,
    theme: str,
    selection: Selection = EVERYTHING,
    limit: int = 100,
    applied: EffectiveCodebook | None = None,
) -> list[TopicVideo]:
    """Return the talks with a paragraph of any topic of a theme; the newest first.

    A paragraph about two topics of the theme counts once for each.
    """
    applied = applied or book(warehouse, selection.codebook)
    units = {known: 1 for known, entry in applied.counted.items() if entry.theme == theme}
    return _listed(warehouse, units, selection, limit, applied) if units else []


def _listed(
    warehouse: Warehouse,
    units: Mapping[int, int],
    selection: Selection,
    limit: int,
    applied: EffectiveCodebook,
) -> list[TopicVideo]:
    """Return the talks with every unit, where `units` is a topic's unit; the newest first."""
    found = warehouse.rows(
        f"""
        SELECT video_id, published_on, {UNITS} AS present,
               arraySum(arrayMap((n, unit) -> if(unit > 0, n, 0), topics.paragraphs, present)) AS paragraphs,
               arraySum(arrayMap((s, unit) -> if(unit > 0, s, 0), topics.seconds, present)) / 60 AS minutes
        {talks(selection)} AND hasAll(present, {{wanted:Array(UInt32)}})
        ORDER BY published_on DESC, video_id LIMIT {{limit:UInt32}}
        """,
        **selection.parameters,
        **mapped(units),
        model=applied.model_version,
        wanted=sorted(set(units.values())),
        limit=limit,
    )
    about = _about(warehouse, [row["video_id"] for row in found])
    unknown = {"title": "", "show": "", "channel": "", "url": ""}
    return typed(
        TopicVideo,
        [
            {"video_id": row["video_id"]}
            | about.get(row["video_id"], unknown)
            | {name: row[name] for name in ("published_on", "paragraphs", "minutes")}
            for row in found
        ],
    )


def _about(warehouse: Warehouse, video_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return {title, show, channel, url} of some videos, by their id."""
    rows = warehouse.rows(
        f"SELECT video_id, title, show, channel, url FROM videos FINAL WHERE video_id IN {strings('ids')}",
        ids=json.dumps(list(video_ids)),
    )
    return {row.pop("video_id"): row for row in rows}


def theme_tallies(
    warehouse: Warehouse, selections: Sequence[Selection], applied: EffectiveCodebook
) -> list[Tally]:
    """Count themes, by name, in selections that differ in their period only, in one scan."""
    units, names = by_theme(applied)
    return [
        Tally(each.of_videos, {names[unit]: row for unit, row in each.units.items()})
        for each in aggregation.tallies(warehouse, selections, applied, units)
    ]


def topic_tallies(
    warehouse: Warehouse, selections: Sequence[Selection], applied: EffectiveCodebook
) -> list[Tally]:
    """Count topics, by id, in selections that differ in their period only, in one scan."""
    return aggregation.tallies(warehouse, selections, applied, by_topic(applied))
