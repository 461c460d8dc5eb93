"""The day of a stream, from its own videos: no clock, and no single video, can tell."""

from collections.abc import Iterable
from datetime import date, timedelta

LATEST = 20
"""How many of the latest arrivals are asked."""
AGREED = 5
"""So many of them must have reached a day before it counts as come."""
AHEAD = timedelta(days=45)
"""A video dated further ahead than this is taken as of today: a premiere, or a mistake."""


class Calendar:
    """Today is the latest day that five of the twenty latest arrivals had reached; it never goes back.

    So a video dated 2099 or 1970 moves nothing, nor does a backfill of old videos, in any order. Before five
    videos have come, today is the earliest day of those that came.

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
        """The day it is; 0001-01-01 before the first video."""
        return self._today or date.min

    def turn(self, published_on: date) -> None:
        """A video of this day has arrived."""
        self._latest = [*self._latest, published_on][-LATEST:]
        agreed = sorted(self._latest)[-AGREED:][0]
        settled = self._today is not None and len(self._latest) > AGREED
        self._today = max(agreed, self.today) if settled else agreed

    def place(self, published_on: date) -> date:
        """The day a video counts as of: its own, or today where that is impossible."""
        possible = self.today <= date.max - AHEAD and published_on <= self.today + AHEAD
        return published_on if possible else self.today

    def to_json(self) -> list[str]:
        """Today, then the latest days in order of arrival."""
        return [day.isoformat() for day in (self.today, *self._latest)]

    @classmethod
    def from_json(cls, days: Iterable[str]) -> "Calendar":
        """The calendar that `to_json` described."""
        today, *latest = map(date.fromisoformat, days)
        return cls(latest, today if latest else None)
