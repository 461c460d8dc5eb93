"""Months as columns: from the first with a talk to the last, those without one included."""

from __future__ import annotations

import calendar
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from agents.months import every

Row = Mapping[str, Any]


class Month(NamedTuple):
    """A month of publication."""

    key: str
    """YYYY-MM"""
    name: str
    """Jan"""
    of_videos: int
    """Videos of the month with any topic; 0: no talk, so no share either."""
    unfinished: bool
    """The calendar has not left it: its numbers still grow."""


class Bar(NamedTuple):
    """A month of a topic's sparkline."""

    month: str
    videos: int
    height: float
    """0 to 1, on a scale that all topics share."""
    unfinished: bool


def columns(rows: Sequence[Row], today: str) -> list[Month]:
    """Return the months of rows with `month` and `of_videos`; `today`: the current one, 'YYYY-MM'.

    Example:
        >>> [month.of_videos for month in columns([{"month": "2025-01", "of_videos": 4},
        ...                                        {"month": "2025-03", "of_videos": 2}], "2025-03")]
        [4, 0, 2]
    """
    if not rows:
        return []
    of_videos = {row["month"]: row["of_videos"] for row in rows}
    return [
        Month(key, calendar.month_abbr[int(key[5:])], of_videos.get(key, 0), key == today)
        for key in every(min(of_videos), max(of_videos))
    ]


def years(months: Sequence[Month]) -> list[tuple[str, int]]:
    """Return each year with how many of the months are in it."""
    return [(year, len(list(group))) for year, group in groupby(months, lambda month: month.key[:4])]


def bars(rows: Sequence[Row], months: Sequence[Month]) -> dict[int, list[Bar]]:
    """Return each topic's sparkline; all have the same months and the same scale."""
    videos = {(row["topic_id"], row["month"]): row["videos"] for row in rows}
    most = max(videos.values(), default=1)
    return {
        topic_id: [
            Bar(month.key, count, count / most, month.unfinished)
            for month in months
            for count in [videos.get((topic_id, month.key), 0)]
        ]
        for topic_id in {row["topic_id"] for row in rows}
    }
