"""Months or quarters as columns, and what was counted by month as it is by them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, Literal

from agents import views
from agents.web.pages.months import Month, columns

Row = Mapping[str, Any]
By = Literal["month", "quarter"]
_ADDED = ("videos", "paragraphs", "minutes")


def quarter(month: str) -> str:
    """Return the quarter that a month, 'YYYY-MM', is in.

    Example:
        >>> quarter("2025-03"), quarter("2025-04")
        ('2025-Q1', '2025-Q2')
    """
    return f"{month[:4]}-Q{(int(month[5:]) + 2) // 3}"


def gathered(rows: Sequence[Row], key: str, by: By, today: str) -> tuple[list[Month], list[dict[str, Any]]]:
    """Return the columns, and the rows by them: {month, <key>, videos, of_videos, share, low, high, …}.

    A video is published in one month, so the videos of a quarter are those of its months added up, and
    nothing is counted twice. Shares and intervals are made anew from the sums.

    Args:
        rows: {month: 'YYYY-MM', <key>, videos, of_videos, paragraphs, minutes} with videos > 0; every month
            in which a video has any topic has one.
        key: the column that says what a row is about.
        today: the current month; the column with it is unfinished.
    """
    months = columns(rows, today)
    if by == "month":
        return months, [row | views.interval(row) for row in map(dict, rows)]
    quarters = [
        Month(name, name[5:], sum(month.of_videos for month in group), any(each.unfinished for each in group))
        for name, group in (
            (name, list(each)) for name, each in groupby(months, lambda month: quarter(month.key))
        )
    ]
    of_videos = {each.key: each.of_videos for each in quarters}
    sums: dict[tuple[Any, str], dict[str, float]] = defaultdict(lambda: dict.fromkeys(_ADDED, 0))
    for row in rows:
        found = sums[row[key], quarter(row["month"])]
        for name in _ADDED:
            found[name] += row[name]
    made = [
        {"month": name, key: unit, "of_videos": of_videos[name], "share": found["videos"] / of_videos[name]}
        | found
        for (unit, name), found in sums.items()
    ]
    return quarters, [row | views.interval(row) for row in made]
