"""Intervals of the shares of videos in rows of views."""

from __future__ import annotations

from functools import lru_cache
from typing import TypeVar

from agents.queries.rows import Interval, Share
from models.stats.trend import wilson

S = TypeVar("S", bound=Share)


def interval(videos: int, of_videos: int) -> Interval:
    """Return the 95 % interval (Wilson) of a share."""
    low, high = _bounds(videos, of_videos)
    return {"low": low, "high": high}


def with_intervals(rows: list[S]) -> list[S]:
    """Add {low, high} to each row in place and return the rows; there can be tens of thousands."""
    for row in rows:
        row["low"], row["high"] = _bounds(row["videos"], row["of_videos"])
    return rows


@lru_cache(maxsize=1 << 14)
def _bounds(videos: int, of_videos: int) -> tuple[float, float]:
    found = wilson(videos, of_videos)
    return found.low, found.high
