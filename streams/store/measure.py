"""The study's numbers: prevalence of topics and themes, and which topics occur together.

One definition everywhere: videos with at least one paragraph of a topic, over videos with at least one
paragraph of any retained topic, by day of publication. A row of `video_topics` is a video, so it counts once;
merges and the codebook are applied here, so curation never processes a talk again. `applied` is the codebook
as of the selection's revision, for whoever asks for more than one number.
"""

from __future__ import annotations

from collections.abc import Mapping

from streams.store.book import Book, book
from streams.store.selection import EVERYTHING, Selection
from streams.store.shown import ASLEEP
from streams.store.warehouse import Row, Warehouse

_UNITS = "arrayMap(t -> transform(t, {ids:Array(UInt32)}, {units:Array(UInt32)}, toUInt32(0)), topics.id)"
"""Of each of a talk's topics, what it counts for; 0: it does not count."""
_TOPICS = _UNITS.replace("{units:", "{topics:")
"""The same by topic, also where what is counted is something else."""


def prevalence(
    warehouse: Warehouse, selection: Selection = EVERYTHING, applied: Book | None = None
) -> list[Row]:
    """Share of videos per theme and month of publication.

    Returns:
        Rows {month: 'YYYY-MM', theme, videos, of_videos, share, paragraphs, minutes, unfinished}, by month,
        most videos first; share = videos / of_videos in [0, 1]. unfinished: the month is not over yet (UTC).
    """
    applied = applied or book(warehouse, selection.codebook)
    units, themes = _by_theme(applied)
    rows = _counts(warehouse, selection, applied, units, monthly=True)
    return [
        {"month": row["month"], "theme": themes[row["unit"]]}
        | _figures(row)
        | {"unfinished": bool(row["unfinished"])}
        for row in sorted(rows, key=lambda row: (row["month"], -row["videos"], themes[row["unit"]]))
    ]


def themes(warehouse: Warehouse, selection: Selection = EVERYTHING, applied: Book | None = None) -> list[Row]:
    """Prevalence of each theme in a period: over the union of its topics' videos, not their sum.

    Returns:
        Rows {theme, videos, of_videos, share, paragraphs, minutes, topics}, most videos first. topics: how
        many of its topics have a video in the period.
    """
    applied = applied or book(warehouse, selection.codebook)
    units, names = _by_theme(applied)
    rows = _counts(warehouse, selection, applied, units)
    return [
        {"theme": names[row["unit"]]} | _figures(row) | {"topics": row["topics"]}
        for row in sorted(rows, key=lambda row: (-row["videos"], names[row["unit"]]))
    ]


def topics(warehouse: Warehouse, selection: Selection = EVERYTHING, applied: Book | None = None) -> list[Row]:
    """Each retained topic with its words, theme and prevalence in a period, most prevalent first.

    Returns:
        Rows {topic_id, name, theme, origin, emerged_at, parent_id, asleep, words, videos, of_videos, share,
        paragraphs, minutes}; topics without a video in the period have videos = 0. Merged ones are not among
        them.
    """
    applied = applied or book(warehouse, selection.codebook)
    rows = _counts(warehouse, selection, applied, _by_topic(applied))
    counted = {row["unit"]: _figures(row) for row in rows}
    of_videos = next(iter(counted.values()))["of_videos"] if counted else 0
    nothing = {"videos": 0, "of_videos": of_videos, "share": 0.0, "paragraphs": 0, "minutes": 0.0}
    known = warehouse.rows(
        f"""
        SELECT t.topic_id AS topic_id, t.origin AS origin, t.emerged_at AS emerged_at, t.parent AS parent_id,
               s.asleep = 1 AS asleep, w.words AS words
        FROM (SELECT * FROM topics FINAL WHERE model_version = {{model:String}}) AS t
        LEFT JOIN (SELECT topic_id, words FROM topic_words FINAL WHERE model_version = {{model:String}}) AS w
            ON w.topic_id = t.topic_id
        LEFT JOIN {ASLEEP} AS s ON s.topic_id = t.topic_id
        """,
        model=applied.model_version,
    )
    named = {entry.topic_id: entry for entry in applied.retained}
    rows = [
        {
            "topic_id": row["topic_id"],
            "name": named[row["topic_id"]].name,
            "theme": named[row["topic_id"]].theme,
        }
        | row
        | {"asleep": bool(row["asleep"])}
        | nothing
        | counted.get(row["topic_id"], {})
        for row in known
        if row["topic_id"] in named
    ]
    return sorted(rows, key=lambda row: (-row["videos"], row["topic_id"]))


def topic_months(
    warehouse: Warehouse, selection: Selection = EVERYTHING, applied: Book | None = None
) -> list[Row]:
    """Videos per retained topic and month of publication.

    Returns:
        Rows {topic_id, month: 'YYYY-MM', videos, of_videos, share, paragraphs, minutes} with videos > 0, by
        topic and month.
    """
    applied = applied or book(warehouse, selection.codebook)
    rows = _counts(warehouse, selection, applied, _by_topic(applied), monthly=True)
    return [
        {"topic_id": row["unit"], "month": row["month"]} | _figures(row)
        for row in sorted(rows, key=lambda row: (row["unit"], row["month"]))
    ]


def months(warehouse: Warehouse, selection: Selection = EVERYTHING, applied: Book | None = None) -> list[Row]:
    """Videos with at least one paragraph of any retained topic, per month of publication.

    Returns:
        Rows {month: 'YYYY-MM', of_videos}, by month.
    """
    applied = applied or book(warehouse, selection.codebook)
    units = dict.fromkeys(applied.counted, 1)
    rows = _counts(warehouse, selection, applied, units, monthly=True)
    return sorted(
        ({"month": row["month"], "of_videos": row["videos"]} for row in rows), key=lambda row: row["month"]
    )


def cooccurrence(warehouse: Warehouse, selection: Selection = EVERYTHING, limit: int = 1000) -> list[Row]:
    """Pairs of topics within videos: how many videos have at least one paragraph of each.

    Returns:
        Rows {topic_id, name, other_id, other, videos, topic_videos, other_videos, of_videos, jaccard, lift}
        with topic_id < other_id and videos > 0, most first. jaccard: of the videos with either, the share
        with both; lift: videos with both over what independence would give (1: no association).
    """
    applied = book(warehouse, selection.codebook)
    units = _by_topic(applied)
    if not units:
        return []
    single = {row["unit"]: row for row in _counts(warehouse, selection, applied, units)}
    rows = warehouse.rows(
        f"""
        SELECT pair.1 AS topic_id, pair.2 AS other_id, count() AS videos
        FROM (
            SELECT arraySort(arrayDistinct(arrayFilter(t -> t > 0, {_UNITS}))) AS present
            FROM video_topics FINAL WHERE model_version = {{model:String}} AND {selection.where}
        )
        ARRAY JOIN arrayFlatten(arrayMap(
            (one, at) -> arrayMap(other -> (one, other), arraySlice(present, at + 1)),
            present, arrayEnumerate(present))) AS pair
        GROUP BY pair ORDER BY videos DESC, topic_id, other_id LIMIT {{limit:UInt32}}
        """,
        **selection.parameters,
        **_mapped(units),
        model=applied.model_version,
        limit=limit,
    )
    return [_pair(row, single, applied) for row in rows]


def _pair(row: Row, single: Mapping[int, Row], applied: Book) -> Row:
    one, other = single[row["topic_id"]], single[row["other_id"]]
    either = one["videos"] + other["videos"] - row["videos"]
    expected = one["videos"] * other["videos"] / one["of_videos"]
    return {
        "topic_id": row["topic_id"],
        "name": applied.entries[row["topic_id"]].name,
        "other_id": row["other_id"],
        "other": applied.entries[row["other_id"]].name,
        "videos": row["videos"],
        "topic_videos": one["videos"],
        "other_videos": other["videos"],
        "of_videos": one["of_videos"],
        "jaccard": row["videos"] / either,
        "lift": row["videos"] / expected,
    }


def videos(
    warehouse: Warehouse,
    topic_id: int,
    other_id: int | None = None,
    selection: Selection = EVERYTHING,
    limit: int = 100,
) -> list[Row]:
    """The videos behind a number: those with a paragraph of the topic, and of the other one if it is given.

    Returns:
        Rows {video_id, title, show, channel, url, published_on, paragraphs, minutes}, the newest first;
        paragraphs and minutes of both topics together.
    """
    applied = book(warehouse, selection.codebook)
    wanted = {applied.counts_as(each) for each in (topic_id, other_id) if each is not None}
    units = {known: entry.topic_id for known, entry in applied.counted.items() if entry.topic_id in wanted}
    if set(units.values()) != wanted:
        return []
    return warehouse.rows(
        f"""
        SELECT t.video_id AS video_id, v.title AS title, v.show AS show, v.channel AS channel, v.url AS url,
               t.published_on AS published_on, t.count AS paragraphs, t.length / 60 AS minutes
        FROM (
            SELECT video_id, published_on, {_UNITS} AS present,
                   arraySum(arrayMap((n, unit) -> if(unit > 0, n, 0), topics.paragraphs, present)) AS count,
                   arraySum(arrayMap((s, unit) -> if(unit > 0, s, 0), topics.seconds, present)) AS length
            FROM video_topics FINAL WHERE model_version = {{model:String}} AND {selection.where}
              AND hasAll(present, {{wanted:Array(UInt32)}})
        ) AS t
        LEFT JOIN (SELECT * FROM videos FINAL) AS v ON v.video_id = t.video_id
        ORDER BY published_on DESC, video_id LIMIT {{limit:UInt32}}
        """,
        **selection.parameters,
        **_mapped(units),
        model=applied.model_version,
        wanted=sorted(wanted),
        limit=limit,
    )


def _by_topic(applied: Book) -> dict[int, int]:
    return {topic_id: entry.topic_id for topic_id, entry in applied.counted.items()}


def _by_theme(applied: Book) -> tuple[dict[int, int], dict[int, str]]:
    """The number that each topic's theme has here, and the themes by number."""
    names = sorted({entry.theme for entry in applied.counted.values()})
    numbers = {name: number for number, name in enumerate(names, 1)}
    units = {topic_id: numbers[entry.theme] for topic_id, entry in applied.counted.items()}
    return units, {number: name for name, number in numbers.items()}


def _figures(row: Row) -> Row:
    return {name: row[name] for name in ("videos", "of_videos", "share", "paragraphs", "minutes")}


def _mapped(units: Mapping[int, int]) -> Row:
    return {"ids": list(units), "units": list(units.values())}


def _counts(
    warehouse: Warehouse,
    selection: Selection,
    applied: Book,
    units: Mapping[int, int],
    *,
    monthly: bool = False,
) -> list[Row]:
    """Count videos, paragraphs and minutes of each unit, and videos of any.

    Args:
        units: what each topic that counts counts for, a positive number.
        monthly: of each month of publication by itself.

    Returns:
        Rows {unit, videos, of_videos, share, paragraphs, minutes, topics, unfinished} with videos > 0;
        monthly: month too. topics: how many of the unit's have a video.
    """
    if not units:
        return []
    month = "month, " if monthly else ""
    rows = warehouse.rows(
        f"""
        SELECT {month}each.1 AS unit, countIf(nth = 1) AS unit_videos, countIf(place = 1) AS any_videos,
               sum(each.2) AS paragraphs, sum(each.3) / 60 AS minutes, uniqExact(each.4) AS unit_topics,
               {"month >= toStartOfMonth(now('UTC'))" if monthly else "0"} AS unfinished
        FROM (
            SELECT toStartOfMonth(published_on) AS month,
                   arrayFilter(
                       t -> t.1 > 0, arrayZip({_UNITS}, topics.paragraphs, topics.seconds, {_TOPICS})
                   ) AS present
            FROM video_topics FINAL WHERE model_version = {{model:String}} AND {selection.where}
        )
        ARRAY JOIN present AS each, arrayEnumerateUniq(present.1) AS nth, arrayEnumerate(present) AS place
        GROUP BY GROUPING SETS (({month}unit), ({month.rstrip(", ")}))
        """,
        **selection.parameters,
        **_mapped(units),
        topics=list(_by_topic(applied).values()),
        model=applied.model_version,
    )
    of_videos = {row.get("month"): row["any_videos"] for row in rows if row["unit"] == 0}
    return [
        {
            "unit": row["unit"],
            "videos": row["unit_videos"],
            "of_videos": of_videos[row.get("month")],
            "share": row["unit_videos"] / of_videos[row.get("month")],
            "paragraphs": row["paragraphs"],
            "minutes": row["minutes"],
            "topics": row["unit_topics"],
            "unfinished": row["unfinished"],
        }
        | ({"month": f"{row['month']:%Y-%m}"} if monthly else {})
        for row in rows
        if row["unit"] > 0
    ]
