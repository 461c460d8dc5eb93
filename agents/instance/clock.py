"""The wall clock, for code that gets its clock as an argument."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)
