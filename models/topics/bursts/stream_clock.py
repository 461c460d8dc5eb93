"""Current day of a stream, derived from its videos: neither the clock nor a single video can give it."""

from collections.abc import Iterable
from datetime import date, timedelta

LATEST = 20
"""Number of the latest arrivals that determine the day."""
AGREED = 5
"""Arrivals that must have reached a day before it is the current one."""
AHEAD = timedelta(days=45)
"""Largest lead of a date over the current day; a later date is a premiere or an error, and is ignored."""


class Calendar:
    """Current day of a stream: the latest day reached by five of the twenty latest arrivals; never decreases.

    So a video dated 2099 or 1970 changes nothing, nor does a backfill of old videos, in any order. Before
    five videos have arrived, the current day is the earliest of theirs.

    >>> calendar = Calendar()
    >>> for day in (1, 2, 3, 4, 5, 6):
    ...     calendar.turn(date(2025, 3, day))
    >>> calendar.turn(date(2099, 1, 1))
    >>> calendar.today, calendar.place(date(2099, 1, 1)), calendar.place(date(1970, 1, 1))
    (datetime.date(2025, 3, 3), datetime.date(2025, 3, 3), datetime.date(1970, 1, 1))
    """

    def __init__(self, latest: Iterable[date] = (), today: date | None = None) -> None:
        self._latest = list(latest)
        self._today = today

    @property
    def today(self) -> date:
        """The current day; 0001-01-01 before the first video."""
        return self._today or date.min

    def turn(self, published_on: date) -> None:
        """Register the arrival of a video with this date."""
        self._latest = [*self._latest, published_on][-LATEST:]
        agreed = sorted(self._latest)[-AGREED:][0]
        settled = self._today is not None and len(self._latest) > AGREED
        self._today = max(agreed, self.today) if settled else agreed

    def place(self, published_on: date) -> date:
        """Return a video's effective day: its own, or the current day if that is too far ahead."""
        possible = self.today <= date.max - AHEAD and published_on <= self.today + AHEAD
        return published_on if possible else self.today

    def to_json(self) -> list[str]:
        """Return the current day, then the latest dates in order of arrival."""
        return [day.isoformat() for day in (self.today, *self._latest)]

    @classmethod
    def from_json(cls, days: Iterable[str]) -> "Calendar":
        """Return the calendar that `to_json` stored."""
        today, *latest = map(date.fromisoformat, days)
        return cls(latest, today if latest else None)
