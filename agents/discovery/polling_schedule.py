"""Schedules the next visit to a source, by how often it publishes, with jitter and back-off.

Pure: all inputs are passed in, so that the same history gives the same time.

The interval of a source without known dates is `poll_interval_s`. A source that states publication dates is
visited eight times in its usual gap between two talks, which finds a talk after a sixteenth of the gap on
average. The interval is bounded by a sixth of the setting and 24 times the setting: by default 10 minutes and
a day.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

from streams.events import SourceKind

PER_GAP = 8
"""Visits in the usual gap between two talks of a source."""
SHORTEST, LONGEST = 1 / 6, 24.0
"""Bounds of an interval, in poll intervals."""
SEARCHES = 6.0
"""Interval of a search, in poll intervals: it ranks by relevance and hardly changes from hour to hour."""
SLICE = 1 / 60
"""Interval between two slices of a backfill, in poll intervals."""
JITTER = 0.1
DORMANT = 3
"""Number of usual gaps without a talk after which the silence itself counts as the gap."""


@dataclass(frozen=True, slots=True)
class VisitOutcome:
    """The outcome of a visit. `failures`: failed visits in a row, including this one."""

    failures: int = 0
    partly: bool = False
    """A lane worked, even if no main lane did: then the wait does not exceed the regular interval."""
    paused_until: datetime | None = None
    """YouTube was not asked, because requests to it are paused until then."""
    goes_on: bool = False
    """A backfill has more slices to read."""
    soon: bool = False
    """A file of the folder was still growing."""


def next_visit(
    source_id: str,
    kind: SourceKind,
    visit: int,
    now: datetime,
    outcome: VisitOutcome,
    *,
    published: Sequence[datetime],
    pushed: bool,
    poll_s: float,
) -> datetime:
    """Return the time of the next visit, always after `now`.

    Args:
        source_id: the source; with `visit` it determines the jitter of ±10 %.
        kind: the kind of the source.
        visit: the number of the visit that has just ended.
        now: when it ended.
        outcome: its outcome. A pause is not a failure: the source is due a little after the pause ends, at a
            time of its own, so that not all sources ask at once. After failures the wait doubles, from the
            shortest interval to the longest.
        published: the publication times that the source stated, in any order; () if it states none.
        pushed: whether a hub pushes its new videos: then visits are only a safeguard.
        poll_s: the setting `poll_interval_s`.
    """
    swing = _swing(source_id, visit)
    if outcome.paused_until is not None and not outcome.failures:
        return max(outcome.paused_until, now) + timedelta(seconds=poll_s * SHORTEST * (1 + swing) / 2)
    regular = interval(kind, published, now, pushed=pushed, poll_s=poll_s).total_seconds()
    if outcome.failures:
        seconds = min(poll_s * SHORTEST * 2 ** min(outcome.failures - 1, 30), poll_s * LONGEST)
        seconds = min(seconds, regular) if outcome.partly else seconds
    elif outcome.goes_on:
        seconds = poll_s * SLICE
    else:
        seconds = poll_s * SHORTEST if outcome.soon else regular
    return now + timedelta(seconds=seconds * (1 + JITTER * swing))


def interval(
    kind: SourceKind, published: Sequence[datetime], now: datetime, *, pushed: bool, poll_s: float
) -> timedelta:
    """Return the time between two visits to a working source, before jitter.

    Example:
        >>> week = [datetime(2026, 3, day, 9) for day in (1, 8, 15, 22)]
        >>> interval("channel", week, datetime(2026, 3, 23), pushed=False, poll_s=3600)
        datetime.timedelta(seconds=75600)
    """
    if kind == "search":
        return timedelta(seconds=poll_s * SEARCHES)
    if kind == "channel" and pushed:
        return timedelta(seconds=poll_s * LONGEST)
    times = sorted(set(published))
    if len(times) < 2 or kind == "folder":
        return timedelta(seconds=poll_s)
    gap = median((later - earlier).total_seconds() for earlier, later in pairwise(times))
    silence = (now - times[-1]).total_seconds()
    if silence > DORMANT * gap:
        gap = silence
    return timedelta(seconds=min(max(gap / PER_GAP, poll_s * SHORTEST), poll_s * LONGEST))


def _swing(source_id: str, visit: int) -> float:
    """Return a number in [-1, 1) that depends only on the source and the visit."""
    digest = hashlib.sha256(f"{source_id}/{visit}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**63 - 1
