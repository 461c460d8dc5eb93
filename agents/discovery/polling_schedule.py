"""Schedules the next visit to a source: as often as it publishes, spread out, and never in vain.

Pure: everything it depends on is passed in, so that the same history leads to the same moment.

Of a source of which nothing is known yet, `poll_interval_s` is the interval. One that states when its talks
were published is looked at eight times between two of them, which finds a talk after a sixteenth of the usual
gap on average: from a sixth of that setting to 24 times of it, with its default from 10 minutes to a day.
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
"""Visits between two talks of a source."""
SHORTEST, LONGEST = 1 / 6, 24.0
"""Bounds of an interval, in poll intervals."""
SEARCHES = 6.0
"""A search ranks by relevance and hardly changes from hour to hour: poll intervals between two rounds."""
SLICE = 1 / 60
"""Poll intervals between two slices of a backfill."""
JITTER = 0.1
DORMANT = 3
"""Usual gaps without a talk, after which the silence itself is taken for the gap."""


@dataclass(frozen=True, slots=True)
class VisitOutcome:
    """The end of a visit. `failures`: visits in a row that failed, this one included."""

    failures: int = 0
    partly: bool = False
    """A lane worked, though not the one that vouches for the source: that one is not made to wait."""
    paused_until: datetime | None = None
    """Nobody was asked: YouTube is left alone until then."""
    goes_on: bool = False
    """A backfill has more to read."""
    soon: bool = False
    """A file was still growing."""


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
    """Return when to look again, always after `now`.

    Args:
        source_id: the source; with `visit` it decides the jitter of ±10 %.
        kind: what it is.
        visit: the number of the visit that has just ended.
        now: when it ended.
        outcome: how. A pause is no failure: the source is due when it ends, and a little later, so that not
            all sources ask in one moment. After failures the wait doubles, from the shortest interval to
            the longest.
        published: publication times that it stated, in any order; () where it states none.
        pushed: whether its hub tells of new videos by itself: then it is only looked at to be sure.
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
    """Return how long a source that works is left alone, before jitter.

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
    """Return a number in [-1, 1) that only the source and the visit decide."""
    digest = hashlib.sha256(f"{source_id}/{visit}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**63 - 1
