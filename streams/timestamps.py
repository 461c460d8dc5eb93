"""Moments as the database holds them, so that what people say has one time wherever it is kept."""

from __future__ import annotations

from datetime import datetime


def whole_ms(moment: datetime) -> datetime:
    """Return the moment in whole milliseconds, rounded down.

    Example:
        >>> whole_ms(datetime(2025, 3, 4, 12, 0, 0, 123456)).microsecond
        123000
    """
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
