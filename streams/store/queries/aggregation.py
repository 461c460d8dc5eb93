"""Counts of videos, paragraphs and minutes by topic or theme, in one scan of `video_topics`.

Counts are by unit: a positive number that stands for a topic, a theme, or anything else that topics count
for. A talk counts once for a unit, however many of the unit's topics it has, and once among the videos of any
unit.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from streams.store.cache import cached
from streams.store.codebook.effective import EffectiveCodebook
from streams.store.queries.selection import Selection
from streams.store.rows.prevalence import UnitCount
from streams.store.warehouse import Warehouse

UNITS = "arrayMap(t -> transform(t, {ids:Array(UInt32)}, {units:Array(UInt32)}, toUInt32(0)), topics.id)"
"""The unit of each of a talk's topics, 0 where it does not count. SQL, with the parameters of `mapped`."""

COUNTS = f"arrayExists(unit -> unit > 0, {UNITS})"
"""Whether a talk counts for any unit. SQL, with the parameters of `mapped`."""

AT_ONCE = "SETTINGS group_by_two_level_threshold = 0, group_by_two_level_threshold_bytes = 0"
"""SQL settings for queries that group by pairs of topics, or by topic and month.

These are some hundred thousand groups at most. By default ClickHouse would divide them into 256 parts before
it adds up the counts of its threads, which takes longer than counting.
"""

TABLES = ("video_topics",)
"""Tables that the counts depend on."""

CUTS, MONTHS = 2**16, 12
Month = tuple[str, int, int, int, int, float, bool]
"""'YYYY-MM', unit, videos, of_videos, paragraphs, minutes, and whether the month is not over yet (UTC)."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of the talks of one period.

    Attributes:
        of_videos: those that count for any unit.
        units: counts of each unit that has a video.
    """

    of_videos: int
    units: Mapping[Any, UnitCount]


def talks(selection: Selection) -> str:
    """Return the talks of a selection as SQL, `FROM … WHERE …`; binds its parameters and `model`."""
    return f"FROM video_topics FINAL WHERE model_version = {{model:String}} AND {selection.where}"


def by_topic(applied: EffectiveCodebook) -> dict[int, int]:
    """Return the unit of each topic that counts: the topic that it was merged into, or itself."""
    return {topic_id: entry.topic_id for topic_id, entry in applied.counted.items()}


def by_theme(applied: EffectiveCodebook) -> tuple[dict[int, int], dict[int, str]]:
    """Return the unit of each topic that counts, which stands for its theme, and the themes by unit."""
    names = sorted({entry.theme for entry in applied.counted.values()})
    numbers = {name: number for number, name in enumerate(names, 1)}
    units = {topic_id: numbers[entry.theme] for topic_id, entry in applied.counted.items()}
    return units, {number: name for name, number in numbers.items()}


def mapped(units: Mapping[int, int]) -> dict[str, list[int]]:
    """Return the parameters of `UNITS`."""
    return {"ids": list(units), "units": list(units.values())}


def tallies(
    warehouse: Warehouse,
    selections: Sequence[Selection],
    applied: EffectiveCodebook,
    units: Mapping[int, int],
) -> list[Tally]:
    """Count units in several selections that differ in their period only, in one scan.

    A talk has one day of publication. So the days are cut where a period begins or ends, each piece is
    counted once, and a period is the sum of its pieces.
    """
    if not units:
        return [Tally(0, {}) for _ in selections]
    days = [selection.days for selection in selections]
    first, last = min(first for first, _ in days), max(last for _, last in days)
    begun = {begins for begins, _ in days if begins > first}
    ended = {ends + timedelta(days=1) for _, ends in days if ends < last}
    cuts = sorted(begun | ended)
    columns = _scanned(
        warehouse,
        replace(selections[0], first=first.isoformat(), last=last.isoformat()),
        applied,
        units,
        cut=" + ".join(f"(published_on >= {{cut{number}:Date}})" for number in range(len(cuts))) or "0",
        counted="id",
        **{f"cut{number}": day.isoformat() for number, day in enumerate(cuts)},
    )
    pieces = list(zip(*columns, strict=True))
    return [
        _tally(
            [piece for piece in pieces if bisect_right(cuts, begins) <= piece[0] <= bisect_right(cuts, ends)],
            applied,
            units,
        )
        for begins, ends in days
    ]


def monthly(
    warehouse: Warehouse, selection: Selection, applied: EffectiveCodebook, units: Mapping[int, int]
) -> Iterator[Month]:
    """Count units by month of publication; yield the months with a video of a unit, by unit and month."""
    if not units:
        return iter(())
    cuts, counted, videos, firsts, paragraphs, minutes = _scanned(
        warehouse, selection, applied, units, cut="toRelativeMonthNum(published_on)", counted="unit"
    )
    of_videos = dict.fromkeys(cuts, 0)
    for month, more in zip(cuts, firsts, strict=True):
        of_videos[month] += more
    named = {month: month_named(month) for month in of_videos}
    today = datetime.now(UTC)
    unfinished = {month: name >= f"{today:%Y-%m}" for month, name in named.items()}
    return zip(
        map(named.__getitem__, cuts),
        counted,
        videos,
        map(of_videos.__getitem__, cuts),
        paragraphs,
        minutes,
        map(unfinished.__getitem__, cuts),
        strict=True,
    )


def month_named(relative_month: int) -> str:
    """Return 'YYYY-MM' of a month as ClickHouse numbers it: 12 for each year, and 1 for January."""
    year, month = divmod(relative_month - 1, MONTHS)
    return f"{year:04}-{month + 1:02}"


def months(warehouse: Warehouse, selection: Selection, applied: EffectiveCodebook) -> dict[str, int]:
    """Count the videos with a topic that counts, per month of publication ('YYYY-MM'), by month.

    The counts are the same for every topic, so they are cached: callers share them and must not change them.
    """
    return cached(
        warehouse,
        ("months", selection, applied),
        TABLES,
        lambda: _months(warehouse, selection, applied),
    )


def _months(warehouse: Warehouse, selection: Selection, applied: EffectiveCodebook) -> dict[str, int]:
    rows = warehouse.rows(
        f"""
        SELECT toStartOfMonth(published_on) AS month, count() AS videos
        {talks(selection)} AND {COUNTS}
        GROUP BY month ORDER BY month
        """,
        **selection.parameters,
        **mapped(by_topic(applied)),
        model=applied.model_version,
    )
    return {f"{row['month']:%Y-%m}": row["videos"] for row in rows}


def newest(warehouse: Warehouse, selection: Selection, applied: EffectiveCodebook) -> date | None:
    """Return the newest day of publication of a talk with a topic that counts, or None without one."""
    return cached(
        warehouse,
        ("newest", selection, applied),
        TABLES,
        lambda: _newest(warehouse, selection, applied),
    )


def _newest(warehouse: Warehouse, selection: Selection, applied: EffectiveCodebook) -> date | None:
    rows = warehouse.rows(
        f"""
        SELECT max(published_on) AS day, count() AS videos
        {talks(selection)} AND {COUNTS}
        """,
        **selection.parameters,
        **mapped(by_topic(applied)),
        model=applied.model_version,
    )
    day: date = rows[0]["day"]
    return day if rows[0]["videos"] else None


def _scanned(
    warehouse: Warehouse,
    selection: Selection,
    applied: EffectiveCodebook,
    units: Mapping[int, int],
    *,
    cut: str,
    counted: str,
    **parameters: Any,
) -> tuple[Sequence[Any], ...]:
    """Count by `cut` of the days and by `counted` (topic: `id`, or `unit`), both SQL.

    Cuts are numbers below `CUTS`, so that the database can group by one number.

    Returns:
        Columns cut, counted, videos, firsts, paragraphs, minutes, ordered by counted, then cut. A talk is
        counted at the first topic of each unit, and among `firsts` at its first topic of all, so that sums of
        both are right.
    """
    videos, nth = "countIf(nth = 1)", "arrayEnumerateUniq(counts) AS nth, "
    if len(set(units.values())) == len(units):  # no talk has a unit twice
        videos, nth = "count()", ""
    statement = f"""
        SELECT key % {CUTS}, intDiv(key, {CUTS}), {videos} AS videos, countIf(at = first) AS firsts,
               sum(n) AS paragraphs, sum(s) / 60 AS minutes
        FROM (
            SELECT {cut} AS cut, topics.id AS each, topics.paragraphs AS ns, topics.seconds AS ss,
                   {UNITS} AS counts, arrayFirstIndex(unit -> unit > 0, counts) AS first
            {talks(selection)}
        )
        ARRAY JOIN each AS id, counts AS unit, ns AS n, ss AS s, {nth}arrayEnumerate(counts) AS at
        WHERE unit > 0 GROUP BY toUInt64({counted}) * {CUTS} + cut AS key ORDER BY key {AT_ONCE}
        """
    given: dict[str, Any] = (
        selection.parameters | mapped(units) | {"model": applied.model_version} | parameters
    )
    return warehouse.columns(statement, given) or ((),) * 6


def _tally(pieces: Sequence[tuple[Any, ...]], applied: EffectiveCodebook, units: Mapping[int, int]) -> Tally:
    sums: dict[int, list[Any]] = {}
    topics: dict[int, set[int]] = {}
    of_videos = 0
    for _, topic_id, videos, firsts, paragraphs, minutes in pieces:
        of_videos += firsts
        unit = units[topic_id]
        summed = sums.setdefault(unit, [0, 0, 0.0])
        for place, more in enumerate((videos, paragraphs, minutes)):
            summed[place] += more
        topics.setdefault(unit, set()).add(applied.counts_as(topic_id))
    return Tally(
        of_videos,
        {
            unit: {
                "videos": videos,
                "of_videos": of_videos,
                "share": videos / of_videos,
                "paragraphs": paragraphs,
                "minutes": minutes,
                "topics": len(topics[unit]),
            }
            for unit, (videos, paragraphs, minutes) in sums.items()
        },
    )
