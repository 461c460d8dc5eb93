"""Sums over talks by month and stratum: what shares of any basis, standardised or not, are computed from.

A stratum is a source, or a class of lengths. The talks are those that prevalence counts: with a paragraph of
any retained topic. A paragraph counts once for a unit (a theme, or a topic), however many of the unit's
topics it is about.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from streams.store.cache import cached
from streams.store.codebook.effective import EffectiveCodebook
from streams.store.queries.aggregation import COUNTS, TABLES, UNITS, by_topic, mapped, talks
from streams.store.queries.selection import Selection
from streams.store.warehouse import Warehouse

Basis = Literal["talks", "paragraphs", "minutes"]
"""What a share is a share of."""
StratumKind = Literal["source", "length"]
"""What strata are made of."""
Standard = Literal["none", StratumKind]
"""The strata whose shares of the talks are held fixed; none: all talks are one stratum."""

LENGTHS = (15, 40, 90)
"""Bounds of the classes of lengths, in minutes: a talk as long as a bound is in the class above it. Below 15
minutes are clips and news, to 40 talks of a conference, to 90 interviews, above it workshops and panels."""
UNKNOWN = ""
"""Stratum of talks without a channel or show, and of talks whose paragraphs have no times."""

_CLASS = " + ".join(f"(length_s >= {60 * bound})" for bound in LENGTHS)
_STRATUM: Mapping[Standard, str] = {
    "none": "''",
    "source": f"if(source = video_id, '{UNKNOWN}', source)",
    "length": f"if(length_s > 0, toString({_CLASS}), '{UNKNOWN}')",
}
_SIZE: Mapping[Basis, str] = {
    "talks": "toFloat64(1)",
    "paragraphs": "toFloat64(of_paragraphs)",
    "minutes": "of_seconds / 60",
}
_APART = """arrayMap(
        unit -> arraySum(arrayMap((each, n) -> if(each = unit, n, 0), counts, topics.{of}))
                - arraySum(arrayMap(
                    (set, n) -> (greatest(countEqual(set, unit), 1) - 1) * n, sets, overlaps.{of})),
        present)"""
_COUNTED: Mapping[Basis, str] = {
    "talks": "arrayMap(unit -> toFloat64(1), present)",
    "paragraphs": _APART.format(of="paragraphs"),
    "minutes": f"arrayMap(seconds -> seconds / 60, {_APART.format(of='seconds')})",
}


class StratumSums(NamedTuple):
    """Columns of sums over all talks of a month and stratum; `size`: of each talk, in units of the basis."""

    months: Sequence[int]
    """As ClickHouse numbers them: 12 for each year, and 1 for January."""
    strata: Sequence[str]
    talks: Sequence[int]
    size: Sequence[float]
    size_squared: Sequence[float]


class UnitSums(NamedTuple):
    """Columns of sums over the talks with a unit; `counted`: how much of the talk is about it."""

    months: Sequence[int]
    strata: Sequence[str]
    units: Sequence[int]
    counted: Sequence[float]
    counted_squared: Sequence[float]
    product: Sequence[float]
    """Of size and counted."""


class StratumMonth(NamedTuple):
    """Talks of a stratum in a month."""

    month: int
    stratum: str
    name: str
    """What a source is called: its channel or show."""
    talks: int


def class_of_length(stratum: str) -> tuple[int | None, int | None]:
    """Return the bounds in minutes, [from, to), of a class of lengths; None: it has no such bound.

    Example:
        >>> class_of_length("0"), class_of_length("1"), class_of_length("3")
        ((None, 15), (15, 40), (90, None))
    """
    bounds = (None, *LENGTHS, None)
    return bounds[int(stratum)], bounds[int(stratum) + 1]


def stratum_sums(
    warehouse: Warehouse,
    selection: Selection,
    applied: EffectiveCodebook,
    basis: Basis,
    standard: Standard,
) -> StratumSums:
    """Return the sums over all talks of each month and stratum with one, by both."""
    return StratumSums(
        *_columns(
            warehouse,
            f"""
            SELECT toRelativeMonthNum(published_on) AS month, {_STRATUM[standard]} AS stratum, count(),
                   sum({_SIZE[basis]} AS size), sum(size * size)
            {talks(selection)} AND {COUNTS} GROUP BY month, stratum ORDER BY month, stratum
            """,
            selection.parameters | mapped(by_topic(applied)) | {"model": applied.model_version},
            5,
        )
    )


def unit_sums(  # noqa: PLR0917 - the parameters of a query
    warehouse: Warehouse,
    selection: Selection,
    applied: EffectiveCodebook,
    units: Mapping[int, int],
    basis: Basis,
    standard: Standard,
) -> UnitSums:
    """Return the sums over the talks with a unit, by unit, month and stratum; `units`: by topic."""
    return UnitSums(
        *_columns(
            warehouse,
            f"""
            SELECT month, stratum, unit, sum(y), sum(y * y), sum(size * y)
            FROM (
                SELECT toRelativeMonthNum(published_on) AS month, {_STRATUM[standard]} AS stratum,
                       {_SIZE[basis]} AS size, {UNITS} AS counts,
                       arrayDistinct(arrayFilter(unit -> unit > 0, counts)) AS present,
                       arrayMap(set -> {UNITS.replace("topics.id", "set")}, overlaps.ids) AS sets,
                       {_COUNTED[basis]} AS ys
                {talks(selection)}
            )
            ARRAY JOIN present AS unit, ys AS y
            GROUP BY month, stratum, unit ORDER BY unit, month, stratum
            """,
            selection.parameters | mapped(units) | {"model": applied.model_version},
            6,
        )
    )


def stratum_months(
    warehouse: Warehouse, selection: Selection, applied: EffectiveCodebook
) -> dict[StratumKind, list[StratumMonth]]:
    """Return the talks of each month and source, and of each month and class of lengths, that has one."""
    return cached(
        warehouse,
        ("stratum months", selection, applied),
        TABLES,
        lambda: _stratum_months(warehouse, selection, applied),
    )


def _stratum_months(
    warehouse: Warehouse, selection: Selection, applied: EffectiveCodebook
) -> dict[StratumKind, list[StratumMonth]]:
    columns = _columns(
        warehouse,
        f"""
        SELECT grouping(by_source) = 0 AS is_source, toRelativeMonthNum(published_on) AS month,
               if(is_source, by_source, by_length) AS stratum,
               argMax(multiIf(channel != '', channel, show != '', show, source), (published_on, video_id)),
               count()
        FROM (
            SELECT published_on, video_id, channel, show, source,
                   {_STRATUM["source"]} AS by_source, {_STRATUM["length"]} AS by_length
            {talks(selection)} AND {COUNTS}
        )
        GROUP BY GROUPING SETS ((month, by_source), (month, by_length))
        ORDER BY is_source, month, stratum
        """,
        selection.parameters | mapped(by_topic(applied)) | {"model": applied.model_version},
        5,
    )
    found: dict[StratumKind, list[StratumMonth]] = {"length": [], "source": []}
    for is_source, *row in zip(*columns, strict=True):
        found["source" if is_source else "length"].append(StratumMonth(*row))
    return found


def _columns(
    warehouse: Warehouse, statement: str, parameters: Mapping[str, Any], count: int
) -> tuple[Sequence[Any], ...]:
    if not parameters["ids"]:
        return ((),) * count
    return warehouse.columns(statement, parameters) or ((),) * count
