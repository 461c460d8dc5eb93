"""Quiet hours and digest times, by the local clock of a time zone.

Daylight saving time moves the clock twice a year in many places. A time that the change skips counts as if
the clock had not moved yet (half past two is then half past three); a time that occurs twice counts the first
time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class QuietHours:
    """Daily from `start` until before `end`, in `zone`; an end that is not later is on the next day."""

    start: time
    end: time
    zone: ZoneInfo

    def ends_after(self, at: datetime) -> datetime | None:
        """Return the end (UTC) of the quiet hours that `at` falls into, or None outside of quiet hours.

        Example:
            >>> night = QuietHours(time(22), time(7), ZoneInfo("Europe/Berlin"))
            >>> night.ends_after(datetime(2025, 3, 29, 23, 30, tzinfo=UTC)).isoformat()  # clocks go forward
            '2025-03-30T05:00:00+00:00'
            >>> night.ends_after(datetime(2025, 3, 30, 5, 0, tzinfo=UTC)) is None
            True
        """
        local = at.astimezone(self.zone)
        clock = local.time()
        over_midnight = self.end <= self.start
        after, before = clock >= self.start, clock < self.end
        if not (after or before if over_midnight else after and before):
            return None
        day = local.date() + timedelta(days=1) if over_midnight and clock >= self.start else local.date()
        for fold in (0, 1):
            end = datetime.combine(day, self.end, self.zone).replace(fold=fold).astimezone(UTC)
            if end > at:
                return end
        return at.astimezone(UTC) + timedelta(minutes=1)


@dataclass(frozen=True)
class SendSchedule:
    """A time every day, or on one day of the week (0: Monday … 6: Sunday), in `zone`."""

    at: time
    zone: ZoneInfo
    weekday: int | None = None

    @property
    def length(self) -> timedelta:
        """The time between two sendings, without clock changes."""
        return timedelta(days=1 if self.weekday is None else 7)

    def latest(self, now: datetime) -> datetime:
        """Return the latest scheduled time up to and including `now` (UTC).

        Example:
            >>> monday = SendSchedule(time(8), ZoneInfo("Europe/Berlin"), weekday=0)
            >>> monday.latest(datetime(2025, 3, 31, 5, 59, tzinfo=UTC)).isoformat()
            '2025-03-24T07:00:00+00:00'
            >>> monday.latest(datetime(2025, 3, 31, 6, 0, tzinfo=UTC)).isoformat()
            '2025-03-31T06:00:00+00:00'
        """
        day = now.astimezone(self.zone).date() + timedelta(days=1)
        while True:
            if self.weekday is None or day.weekday() == self.weekday:
                due = datetime.combine(day, self.at, self.zone).astimezone(UTC)
                if due <= now:
                    return due
            day -= timedelta(days=1)
