"""Months, quarters or years as columns, and what was counted by month as it is by them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from agents import views
from agents.web.pages.months import By, Month, columns, part, parts

Row = Mapping[str, Any]
_ADDED = ("videos", "paragraphs", "minutes")


def gathered(rows: Sequence[Row], key: str, by: By, today: str) -> tuple[list[Month], list[dict[str, Any]]]:
    """Return the columns, and the rows by them: {month, <key>, videos, of_videos, share, low, high, …}.

    A video is published in one month, so the videos of a quarter or year are those of its months added up,
    and nothing is counted twice. Shares and intervals are made anew from the sums.

    Args:
        rows: {month: 'YYYY-MM', <key>, videos, of_videos, paragraphs, minutes} with videos > 0; every month
            in which a video has any topic has one.
        key: the column that says what a row is about.
        today: the current month; the column with it is unfinished.
    """
    months = columns(rows, today)
    if by == "month":
        return months, [row | views.interval(row) for row in map(dict, rows)]
    gathering = parts(months, by)
    of_videos = {each.key: each.of_videos for each in gathering}
    sums: dict[tuple[Any, str], dict[str, float]] = defaultdict(lambda: dict.fromkeys(_ADDED, 0))
    for row in rows:
        found = sums[row[key], part(row["month"], by)]
        for name in _ADDED:
            found[name] += row[name]
    made = [
        {"month": name, key: unit, "of_videos": of_videos[name], "share": found["videos"] / of_videos[name]}
        | found
        for (unit, name), found in sums.items()
    ]
    return gathering, [row | views.interval(row) for row in made]
