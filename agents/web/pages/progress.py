"""Progress of the talks of a study through its agents."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from agents.web.site import Site
from streams.store.operations.parked import parked
from streams.store.rows.corpus import Standing
from streams.store.talks import talk_queries


def unfinished(site: Site, status: Standing) -> int:
    """Return the number of talks still being processed; talks stuck as dead letters do not count."""
    if status["videos"] == sum(status["states"].get(state, 0) for state in ("assigned", "rejected")):
        return 0
    return len(site.ask(talk_queries.known_videos) - site.ask(talk_queries.finished_videos))


def in_review(site: Site, left: int) -> int:
    """Return how many of the unfinished talks wait for reviewers, and for no agent."""
    return len(site.ask(parked, "in review", left)) if left else 0


class ProgressStep(NamedTuple):
    """A step of the path: its name, and how many of the accepted talks it is done for."""

    name: str
    talks: int
    of: int


STEPS = (
    ("Transcribed", ("transcribed", "split", "assigned")),
    ("Split into paragraphs", ("split", "assigned")),
    ("Topics found", ("assigned",)),
)
"""The steps, each with the states of the talks that it is done for."""


def steps(states: Mapping[str, int]) -> list[ProgressStep]:
    """Return the steps while fewer than half of the talks have been through all; afterwards none.

    Args:
        states: number of talks in each state.

    Example:
        >>> steps({"seen": 1, "transcribed": 2, "assigned": 1, "rejected": 5})[0]
        ProgressStep(name='Transcribed', talks=3, of=4)
        >>> steps({"seen": 1, "assigned": 3})
        []
    """
    of = sum(talks for state, talks in states.items() if state != "rejected")
    if 2 * states.get("assigned", 0) >= of:
        return []
    return [ProgressStep(name, sum(states.get(state, 0) for state in within), of) for name, within in STEPS]


class Pace:
    """Pace at which talks are finished, by what the page has seen in the last minutes. Thread-safe."""

    LOOKS_BACK = timedelta(minutes=10)
    LEAST = timedelta(seconds=30)
    """Nothing is estimated from a shorter time, nor before two talks were finished in it."""

    def __init__(self) -> None:
        self._seen: deque[tuple[datetime, int]] = deque()
        self._lock = threading.Lock()

    def remaining(self, now: datetime, finished: int, left: int) -> str:
        """Return about how long the rest takes, in words; empty if that is unknown or nothing is left.

        Args:
            now: the time.
            finished: talks that are finished now.
            left: talks that are not.

        Example:
            >>> pace, noon = Pace(), datetime(2026, 1, 1, 12)
            >>> pace.remaining(noon, 10, 90), pace.remaining(noon + timedelta(minutes=1), 12, 88)
            ('', 'About 44 minutes left')
        """
        with self._lock:
            if self._seen and (finished < self._seen[-1][1] or now < self._seen[-1][0]):
                self._seen.clear()  # a rebuild, or a clock that was set back
            while self._seen and now - self._seen[0][0] > self.LOOKS_BACK:
                self._seen.popleft()
            if not self._seen or finished != self._seen[-1][1]:
                self._seen.append((now, finished))
            took, done = now - self._seen[0][0], finished - self._seen[0][1]
        if not left or took < self.LEAST or done < 2:
            return ""
        minutes = round(took.total_seconds() / done * left / 60)
        if minutes < 2:
            return "A minute or two left"
        return f"About {minutes} minutes left" if minutes < 120 else f"About {round(minutes / 60)} hours left"
