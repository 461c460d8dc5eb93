"""Intervals of the shares of videos in rows of views."""

from __future__ import annotations

from functools import lru_cache
from typing import TypeVar

from agents.queries.rows import Amount, Corrected, Interval, Share
from models.stats.trend import wilson


class _AmountedShare(Share, Amount, Corrected):
    pass


S = TypeVar("S", bound=_AmountedShare)


def interval(videos: int, of_videos: int) -> Interval:
    """Return the 95 % interval (Wilson) of a share."""
    low, high = _bounds(videos, of_videos)
    return {"low": low, "high": high}


def with_intervals(rows: list[S]) -> list[S]:
    """Add the interval and the amounts to each row in place; there can be tens of thousands."""
    for row in rows:
        row["low"], row["high"] = _bounds(row["videos"], row["of_videos"])
        row["amount"], row["of_amount"], row["covered"] = row["videos"], row["of_videos"], 1.0
        row["corrected"] = row["corrected_low"] = row["corrected_high"] = None
    return rows


@lru_cache(maxsize=1 << 14)
def _bounds(videos: int, of_videos: int) -> tuple[float, float]:
    found = wilson(videos, of_videos)
    return found.low, found.high
