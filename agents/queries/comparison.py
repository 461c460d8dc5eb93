"""Comparison of a period with the preceding one of equal length, by theme or topic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from agents.queries import months
from agents.queries.rows import Comparison
from models.stats.trend import trend
from streams.store.codebook.effective import EffectiveCodebook
from streams.store.queries import aggregation
from streams.store.queries.aggregation import Tally
from streams.store.queries.selection import EVERYTHING, Selection, first_day, last_day
from streams.store.warehouse import Warehouse

MONTHS = 6
"""Length in months of the two compared periods when no first month is given."""


class PeriodComparison:
    """Comparison of each theme or topic between a period and the preceding one of equal length.

    Args:
        periods: the period and the preceding one; empty when there is nothing to compare.
        counted: the tally of each period, by theme or topic.
    """

    def __init__(self, periods: Sequence[Selection], counted: Sequence[Tally]) -> None:
        self._periods = periods
        self._counted = counted

    def of(self, unit: Any, *, asleep: bool = False) -> Comparison:
        """Return the status and trend of a theme or topic."""
        if not self._periods or not all(each.of_videos for each in self._counted):
            return {"status": "dormant" if asleep else None, "trend": None}
        (now, before), (period, preceding_) = self._counted, self._periods
        videos, videos_before = (
            each.units[unit]["videos"] if unit in each.units else 0 for each in self._counted
        )
        found = trend(videos, now.of_videos, videos_before, before.of_videos)
        assert period.first and period.last and preceding_.first and preceding_.last, "periods have both ends"
        return {
            "status": "dormant" if asleep else found.direction,
            "trend": {
                "first": period.first,
                "last": period.last,
                "videos": videos,
                "of_videos": now.of_videos,
                "before_first": preceding_.first,
                "before_last": preceding_.last,
                "before_videos": videos_before,
                "before_of_videos": before.of_videos,
                "change": found.change,
                "change_low": found.change_interval.low,
                "change_high": found.change_interval.high,
            },
        }


def periods_of(
    warehouse: Warehouse, selection: Selection, applied: EffectiveCodebook
) -> tuple[Selection, ...]:
    """Return a selection's period, both ends set, and the equal period before it; empty without talks."""
    last = selection.last
    if last is None:
        newest = aggregation.newest(warehouse, selection, applied)
        if newest is None:
            return ()
        last = f"{newest:%Y-%m}"
    if selection.first is not None:
        return compared(replace(selection, last=last))
    return compared(recent(last, selection))


def recent(last: str, selection: Selection = EVERYTHING) -> Selection:
    """Return the selection narrowed to the last `MONTHS` months, up to the month of `last`."""
    return replace(selection, first=months.named(months.number(last[:7]) - MONTHS + 1), last=last[:7])


def compared(period: Selection) -> tuple[Selection, Selection]:
    """Return a period with both ends, and the preceding one of equal length."""
    return period, preceding(period)


def preceding(period: Selection) -> Selection:
    """Return the period of equal length (in months or days) just before a period with both ends.

    Example:
        >>> preceding(Selection("2025-04", "2025-06")).first
        '2025-01'
        >>> preceding(Selection("2025-04-01", "2025-04-10")).first
        '2025-03-22'
    """
    assert period.first is not None and period.last is not None
    if len(period.first) == len(period.last) == len("YYYY-MM"):
        first, last = months.number(period.first), months.number(period.last)
        return replace(period, first=months.named(2 * first - last - 1), last=months.named(first - 1))
    first_of, last_of = first_day(period.first), last_day(period.last)
    length = last_of - first_of + timedelta(days=1)
    end = first_of - timedelta(days=1)
    return replace(period, first=(first_of - length).isoformat(), last=end.isoformat())
