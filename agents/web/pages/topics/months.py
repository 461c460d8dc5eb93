"""Columns of charts: months from the first with a talk to the last, or quarters or years if they are many."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from agents.queries.months import By, every, part
from streams.store.rows.prevalence import MonthTotal


class PublicationPeriod(NamedTuple):
    """A month of publication, or a quarter or year of them."""

    key: str
    """YYYY-MM, YYYY-Q1 or YYYY."""
    name: str
    """Jan, Q1 or YYYY."""
    of_videos: int
    """Number of its videos with any topic; 0: no talk, so no share either."""
    unfinished: bool
    """Whether the period is not over; its numbers will still grow."""


def columns(rows: Sequence[MonthTotal], today: str) -> list[PublicationPeriod]:
    """Return the months of rows; `today`: the current one, 'YYYY-MM'.

    Example:
        >>> [month.of_videos for month in columns([{"month": "2025-01", "of_videos": 4},
        ...                                        {"month": "2025-03", "of_videos": 2}], "2025-03")]
        [4, 0, 2]
    """
    if not rows:
        return []
    of_videos = {row["month"]: row["of_videos"] for row in rows}
    return [
        PublicationPeriod(key, calendar.month_abbr[int(key[5:])], of_videos.get(key, 0), key == today)
        for key in every(min(of_videos), max(of_videos))
    ]


def years(months: Sequence[PublicationPeriod]) -> list[tuple[str, int]]:
    """Return each year with the number of its months."""
    return [(year, len(list(group))) for year, group in groupby(months, lambda month: month.key[:4])]


def fitting(months: Sequence[PublicationPeriod], most: int) -> By:
    """Return the shortest unit that puts the months into at most `most` columns, or years.

    Example:
        >>> ends = [{"month": month, "of_videos": 1} for month in ("2021-01", "2025-12")]
        >>> months = columns(ends, "2026-01")
        >>> fitting(months, 60), fitting(months, 36), fitting(months, 12)
        ('month', 'quarter', 'year')
    """
    if len(months) <= most:
        return "month"
    return "quarter" if len({part(month.key, "quarter") for month in months}) <= most else "year"


def parts(months: Sequence[PublicationPeriod], by: By) -> list[PublicationPeriod]:
    """Group months into columns of a unit."""
    if by == "month":
        return list(months)
    grouped = groupby(months, lambda month: part(month.key, by))
    return [
        PublicationPeriod(
            name,
            name[5:] or name,
            sum(month.of_videos for month in group),
            any(month.unfinished for month in group),
        )
        for name, group in ((name, list(group)) for name, group in grouped)
    ]
