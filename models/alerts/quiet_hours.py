"""Hours in which nobody is disturbed, and moments at which a digest is due: by the clock on somebody's wall.

The wall clock jumps twice a year in many places. A time that a night skips counts as if the clock had not
jumped yet (half past two is half past three then); of a time that a night has twice, the first one counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class QuietHours:
    """From `start` to before `end` every day, in `zone`; where the end is not later, it is the next day's."""

    start: time
    end: time
    zone: ZoneInfo

    def ends_after(self, at: datetime) -> datetime | None:
        """Return the moment at which the quiet of `at` ends (UTC), or None where it is not quiet then.

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
    """Every day at a time, in `zone`; or on one day of the week (0: Monday … 6: Sunday)."""

    at: time
    zone: ZoneInfo
    weekday: int | None = None

    @property
    def length(self) -> timedelta:
        """How long it is from one moment to the next, clocks aside."""
        return timedelta(days=1 if self.weekday is None else 7)

    def latest(self, now: datetime) -> datetime:
        """Return the newest moment that is due, `now` included (UTC).

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
