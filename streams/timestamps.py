"""Timestamps that the database can hold, parsed from the forms that feeds and APIs use."""

from __future__ import annotations

from datetime import UTC, date, datetime

FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(2149, 6, 6)
"""Range of ClickHouse's `Date` (UTC): a month outside it is not stored, or cannot be read back."""
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""First and last moment that queries are asked for, within the range of its `DateTime64(3)`."""


def whole_ms(moment: datetime) -> datetime:
    """Return a timestamp in whole milliseconds, rounded down.

    Example:
        >>> whole_ms(datetime(2025, 3, 4, 12, 0, 0, 123456)).microsecond
        123000
    """
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def as_json(value: object) -> str:
    """Return a date or time as JSON text in ISO 8601, for `json.dumps`; raise TypeError for any other type.

    Example:
        >>> as_json(datetime(2025, 3, 4, tzinfo=UTC)), as_json(date(2025, 3, 4))
        ('2025-03-04T00:00:00Z', '2025-03-04')
    """
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is not JSON")


def known_moment(value: datetime | None) -> datetime | None:
    """Return a timestamp, or None if the database cannot hold it.

    Example:
        >>> known_moment(datetime.fromisoformat("9999-12-31T23:59:59-10:00")) is None
        True
    """
    if value is None:
        return None
    try:
        day = value.astimezone(UTC).date()
    except (OverflowError, ValueError):
        return None
    return value if FIRST_DAY <= day <= LAST_DAY else None


def from_iso(text: str) -> datetime | None:
    """Return an ISO 8601 timestamp in the zone that it states; None if it has no zone or is invalid.

    Example:
        >>> from_iso("2025-03-04T12:00:00Z").hour, from_iso("2025-03-04T12:00:00"), from_iso("soon")
        (12, None, None)
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return known_moment(moment) if moment.tzinfo else None


def from_unix(seconds: float) -> datetime | None:
    """Return a timestamp in UTC from seconds since 1970; None if it is out of range.

    Example:
        >>> from_unix(0).year, from_unix(1e18)
        (1970, None)
    """
    try:
        return known_moment(datetime.fromtimestamp(seconds, UTC))
    except (ValueError, OverflowError, OSError):
        return None


def storable(value: datetime | str) -> datetime:
    """Return a moment (as text: ISO 8601), moved into the range that the database can hold.

    Example:
        >>> storable("0406-10-06T00:00:00+00:00").isoformat()
        '1970-01-01T00:00:00+00:00'
    """
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return min(max(moment, EARLIEST), LATEST)
