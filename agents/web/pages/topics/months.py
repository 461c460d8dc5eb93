"""Columns of charts: months from the first with a talk to the last, or quarters or years if they are many."""

from __future__ import annotations

import calendar
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import NamedTuple

from agents.queries.months import By, every, part
from streams.store.queries.selection import first_day, last_day
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

    def within(self, kept: Mapping[str, str]) -> dict[str, str]:
        """Return a selection narrowed to the period.

        Example:
            >>> PublicationPeriod("2025-Q2", "Q2", 4, False).within({"first": "2025-05", "show": "A"})
            {'first': '2025-05', 'show': 'A', 'last': '2025-06'}
            >>> PublicationPeriod("2025-01", "Jan", 4, False).within({"last": "2025-01-20"})
            {'last': '2025-01-20', 'first': '2025-01'}
        """
        first, last = ends(self.key)
        given_first, given_last = kept.get("first", ""), kept.get("last", "")
        if given_first and first_day(given_first) > first_day(first):
            first = given_first
        if given_last and last_day(given_last) < last_day(last):
            last = given_last
        return {**kept, "first": first, "last": last}


def ends(key: str) -> tuple[str, str]:
    """Return the first and last month of a month, quarter or year.

    Example:
        >>> ends("2025-02"), ends("2025-Q4"), ends("2025")
        (('2025-02', '2025-02'), ('2025-10', '2025-12'), ('2025-01', '2025-12'))
    """
    year, _, part_of_it = key.partition("-")
    if not part_of_it:
        return f"{year}-01", f"{year}-12"
    if part_of_it.startswith("Q"):
        last = 3 * int(part_of_it[1:])
        return f"{year}-{last - 2:02}", f"{year}-{last:02}"
    return key, key


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
