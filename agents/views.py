"""Everything that the API, the page and the command line can ask, by name.

Most of it is a view of the store as it is; what needs mathematics on top is made here, so that all three
say the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from models.trend import trend
from streams.store import genealogy, news, read
from streams.store.warehouse import Row, Warehouse

MONTHS = 6
"""Where no first month is given, a topic's last so many months are compared with those before them."""


def topics(warehouse: Warehouse, first: str | None = None, last: str | None = None) -> list[Row]:
    """Each topic with its words, theme, prevalence and status in a period, most prevalent first.

    The status compares the period with the equal one before it; without a first month, the last six months
    (up to the newest talk) with the six before.

    Returns:
        Rows {topic_id, name, theme, origin, emerged_at, parent_id, asleep, words, videos, of_videos, share,
        status, trend}; topics without a video in the period have videos = 0. Merged ones are not among them.
        status is new, rising, stable, declining or dormant, or None where there is nothing to compare with.
        trend: {first, last, videos, of_videos, before_first, before_last, before_videos, before_of_videos,
        change, change_low, change_high}: shares in [0, 1], with the 95 % interval of their difference.
    """
    compare = _Comparison(warehouse, first, last)
    return [row | compare.of(row) for row in read.topics(warehouse, first, last)]


def topic(warehouse: Warehouse, topic_id: int) -> Row | None:
    """Everything about one topic, or None where there is none; of a merged one, of where it ended up.

    Returns:
        {topic_id, name, theme, origin, emerged_at, parent_id, parent, asleep, words, words_at_birth,
        asked_id, merged: [{topic_id, name}], videos, of_videos, share, status, trend, months, drifts,
        genealogy, quotes}; the parts are those of the views `topics`, `topic_months`, `drifts`, `genealogy`
        and `quotes`.
    """
    found = genealogy.topic(warehouse, topic_id)
    if found is None:
        return None
    known = found["topic_id"]
    counted = next((row for row in topics(warehouse) if row["topic_id"] == known), {})
    return (
        {name: counted.get(name) for name in ("videos", "of_videos", "share", "status", "trend")}
        | found
        | {
            "months": [
                {"month": row["month"], "videos": row["videos"]}
                for row in read.topic_months(warehouse)
                if row["topic_id"] == known
            ],
            "drifts": genealogy.drifts(warehouse, known),
            "genealogy": genealogy.genealogy(warehouse, known),
            "quotes": read.quotes(warehouse, known),
        }
    )


class _Comparison:
    """A period and the equal one before it, and how many videos each topic has in them."""

    def __init__(self, warehouse: Warehouse, first: str | None, last: str | None) -> None:
        totals = {row["month"]: row["of_videos"] for row in read.months(warehouse)}
        self._months = {
            (row["topic_id"], row["month"]): row["videos"] for row in read.topic_months(warehouse)
        }
        last = last or max(totals, default=None)
        self._period: list[str] = []
        self._before: list[str] = []
        if last is not None:
            length = 1 + _number(last) - _number(first) if first and first <= last else MONTHS
            end = _number(last) + 1
            self._period = [_month(number) for number in range(end - length, end)]
            self._before = [_month(number) for number in range(end - 2 * length, end - length)]
        self._of, self._of_before = (
            sum(totals.get(month, 0) for month in months) for months in (self._period, self._before)
        )

    def of(self, row: Row) -> Row:
        """Return {status, trend} of a topic."""
        if not self._of_before or not self._of:
            return {"status": "dormant" if row["asleep"] else None, "trend": None}
        videos, before = (
            sum(self._months.get((row["topic_id"], month), 0) for month in months)
            for months in (self._period, self._before)
        )
        found = trend(videos, self._of, before, self._of_before)
        return {
            "status": "dormant" if row["asleep"] else found.direction,
            "trend": _ends("first", "last", self._period)
            | {"videos": videos, "of_videos": self._of}
            | _ends("before_first", "before_last", self._before)
            | {
                "before_videos": before,
                "before_of_videos": self._of_before,
                "change": found.change,
                "change_low": found.change_interval.low,
                "change_high": found.change_interval.high,
            },
        }


def _ends(first: str, last: str, months: Sequence[str]) -> Row:
    return {first: months[0], last: months[-1]}


def _number(month: str) -> int:
    """Return a month as a number: the next month's is one more."""
    return int(month[:4]) * 12 + int(month[5:]) - 1


def _month(number: int) -> str:
    return f"{number // 12:04}-{number % 12 + 1:02}"


VIEWS: dict[str, Callable[..., Any]] = {
    view.__name__: view
    for view in (
        read.status,
        read.prevalence,
        read.themes,
        topics,
        topic,
        read.topic_months,
        read.cooccurrence,
        read.quotes,
        genealogy.genealogy,
        genealogy.drifts,
        genealogy.health,
        news.alerts,
        news.emergences,
        news.boilerplate,
        read.dead_letters,
        read.dead_letter,
    )
}
