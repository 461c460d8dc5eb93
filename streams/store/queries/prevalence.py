"""The study's numbers: prevalence of topics and themes, and which topics occur together.

One definition everywhere: videos with at least one paragraph of a topic, over videos with at least one
paragraph of any retained topic, by day of publication. A row of `video_topics` is a video, so it counts once;
merges and the codebook are applied here, so curation never processes a talk again. `applied` is the codebook
as of the selection's revision, for whoever asks for more than one number.
"""

from __future__ import annotations

import json
from collections.abc import Container, Mapping, Sequence

from streams.store.codebook.effective import EffectiveCodebook, book
from streams.store.codebook.topic_facts import facts
from streams.store.queries import aggregation
from streams.store.queries.aggregation import AT_ONCE, UNITS, Tally, by_theme, by_topic, mapped, talks
from streams.store.queries.selection import EVERYTHING, Selection
from streams.store.warehouse import Row, Warehouse, strings

FIGURES = ("videos", "of_videos", "share", "paragraphs", "minutes")
_FACTS = ("origin", "emerged_at", "parent_id", "asleep", "words")
PAIRS = 2**32
"""Two topics are grouped by one number, the first one times this and the other."""
ANY = 0
"""In place of a topic: any that counts. So one scan counts all: its pair with itself is the talks, its pair
with a topic is that topic's talks; every other topic is paired with those after it."""
NOT_ASKED = 2**32 - 1
"""In place of topics that count, and that no pair is asked of."""


def prevalence(
    warehouse: Warehouse, selection: Selection = EVERYTHING, applied: EffectiveCodebook | None = None
) -> list[Row]:
    """Share of videos per theme and month of publication.

    Returns:
        Rows {month: 'YYYY-MM', theme, videos, of_videos, share, paragraphs, minutes, unfinished}, by month,
        most videos first; share = videos / of_videos in [0, 1]. unfinished: the month is not over yet (UTC).
    """
    applied = applied or book(warehouse, selection.codebook)
    units, names = by_theme(applied)
    rows = [
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
    return sorted(rows, key=lambda row: (row["month"], -row["videos"], row["theme"]))


def themes(
    warehouse: Warehouse,
    selection: Selection = EVERYTHING,
    applied: EffectiveCodebook | None = None,
    counted: Tally | None = None,
) -> list[Row]:
    """Prevalence of each theme in a period: over the union of its topics' videos, not their sum.

    `counted`: what `tallies` said of this selection's themes, for whoever asked it about more than one.

    Returns:
        Rows {theme, videos, of_videos, share, paragraphs, minutes, topics}, most videos first. topics: how
        many of its topics have a video in the period.
    """
    applied = applied or book(warehouse, selection.codebook)
    counted = counted or theme_tallies(warehouse, [selection], applied)[0]
    rows = [{"theme": theme} | row for theme, row in counted.units.items()]
    return sorted(rows, key=lambda row: (-row["videos"], row["theme"]))


def topics(
    warehouse: Warehouse,
    selection: Selection = EVERYTHING,
    applied: EffectiveCodebook | None = None,
    counted: Tally | None = None,
) -> list[Row]:
    """Each retained topic with its words, theme and prevalence in a period, most prevalent first.

    `counted`: what `tallies` said of this selection's topics, for whoever asked it about more than one.

    Returns:
        Rows {topic_id, name, theme, origin, emerged_at, parent_id, asleep, words, videos, of_videos, share,
        paragraphs, minutes}; topics without a video in the period have videos = 0. Merged ones are not among
        them.
    """
    applied = applied or book(warehouse, selection.codebook)
    counted = counted or topic_tallies(warehouse, [selection], applied)[0]
    nothing = {
        "videos": 0, "of_videos": counted.of_videos, "share": 0.0, "paragraphs": 0, "minutes": 0.0
    }  # fmt: skip
    known = facts(warehouse, applied.model_version)
    rows = [
        {"topic_id": entry.topic_id, "name": entry.name, "theme": entry.theme}
        | {name: known[entry.topic_id][name] for name in _FACTS}
        | {name: counted.units.get(entry.topic_id, nothing)[name] for name in FIGURES}
        for entry in applied.retained
        if entry.topic_id in known
    ]
    return sorted(rows, key=lambda row: (-row["videos"], row["topic_id"]))


def topic_months(
    warehouse: Warehouse, selection: Selection = EVERYTHING, applied: EffectiveCodebook | None = None
) -> list[Row]:
    """Videos per retained topic and month of publication.

    Returns:
        Rows {topic_id, month: 'YYYY-MM', videos, of_videos, share, paragraphs, minutes} with videos > 0, by
        topic and month.
    """
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
) -> list[Row]:
    """Videos with at least one paragraph of any retained topic, per month of publication.

    Returns:
        Rows {month: 'YYYY-MM', of_videos}, by month.
    """
    counted = aggregation.months(warehouse, selection, applied or book(warehouse, selection.codebook))
    return [{"month": month, "of_videos": videos} for month, videos in counted.items()]


def cooccurrence(
    warehouse: Warehouse,
    selection: Selection = EVERYTHING,
    limit: int = 1000,
    applied: EffectiveCodebook | None = None,
    among: Container[int] | None = None,
) -> list[Row]:
    """Pairs of topics within videos: how many videos have at least one paragraph of each.

    Args:
        warehouse: the study.
        selection: which talks.
        limit: at most so many pairs.
        applied: the codebook; None: that of the selection.
        among: only pairs of these topics; None: of all.

    Returns:
        Rows {topic_id, name, other_id, other, videos, topic_videos, other_videos, of_videos, jaccard, lift}
        with topic_id < other_id and videos > 0, most first. jaccard: of the videos with either, the share
        with both; lift: videos with both over what independence would give (1: no association).
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


def _pair(pair: tuple[int, int], counted: Mapping[tuple[int, int], int], applied: EffectiveCodebook) -> Row:
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
) -> list[Row]:
    """The videos behind a number: those with a paragraph of the topic, and of the other one if it is given.

    Returns:
        Rows {video_id, title, show, channel, url, published_on, paragraphs, minutes}, the newest first;
        paragraphs and minutes of both topics together.
    """
    applied = applied or book(warehouse, selection.codebook)
    wanted = {applied.counts_as(each) for each in (topic_id, other_id) if each is not None}
    units = {known: entry.topic_id for known, entry in applied.counted.items() if entry.topic_id in wanted}
    if set(units.values()) != wanted:
        return []
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
        wanted=sorted(wanted),
        limit=limit,
    )
    about = _about(warehouse, [row["video_id"] for row in found])
    unknown = {"title": "", "show": "", "channel": "", "url": ""}
    return [
        {"video_id": row["video_id"]}
        | about.get(row["video_id"], unknown)
        | {name: row[name] for name in ("published_on", "paragraphs", "minutes")}
        for row in found
    ]


def _about(warehouse: Warehouse, video_ids: Sequence[str]) -> dict[str, Row]:
    """Return what talks are called and where they are: of those that are shown, and not of all."""
    rows = warehouse.rows(
        f"SELECT video_id, title, show, channel, url FROM videos FINAL WHERE video_id IN {strings('ids')}",
        ids=json.dumps(list(video_ids)),
    )
    return {row.pop("video_id"): row for row in rows}


def theme_tallies(
    warehouse: Warehouse, selections: Sequence[Selection], applied: EffectiveCodebook
) -> list[Tally]:
    """Count themes, by name, in selections that differ in nothing but their period, in one scan."""
    units, names = by_theme(applied)
    return [
        Tally(each.of_videos, {names[unit]: row for unit, row in each.units.items()})
        for each in aggregation.tallies(warehouse, selections, applied, units)
    ]


def topic_tallies(
    warehouse: Warehouse, selections: Sequence[Selection], applied: EffectiveCodebook
) -> list[Tally]:
    """Count topics, by id, in selections that differ in nothing but their period, in one scan."""
    return aggregation.tallies(warehouse, selections, applied, by_topic(applied))
