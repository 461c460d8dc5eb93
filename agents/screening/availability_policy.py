"""Decides how long a video waits and when it is given up; nothing else does.

Pure: the same refusal, past and moment give the same decision. Who gets a decision parks or rejects.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from streams.errors import Explained, Paused, Unavailable
from streams.events import Video, stable_id
from streams.http.errors import NotServed
from streams.youtube.errors import PAID, RefusalVerdict, RefusedForNow, YouTubeRefused

State = Literal["upcoming", "live", "just ended", "sign-in", "recheck", "paused"]

SOON = timedelta(minutes=1)
"""Nothing is looked at again before this."""
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
RECHECK = (HOUR, 6 * HOUR, DAY, 3 * DAY, 7 * DAY, 14 * DAY)
"""After each refusal that may be temporary; after the one that follows, the video is given up."""
AFTER_BEGIN = HOUR
"""An upcoming video is looked at so long after it was to begin."""
WEEK = 7 * DAY
"""An upcoming video is looked at once a week at least: it may be brought forward."""
NEVER_BEGAN = 30 * DAY
"""What has not begun so long after it was to begin never will."""
UPCOMING = (HOUR, 3 * HOUR, 6 * HOUR, DAY)
"""Between looks at what should have begun, or does not say when; the last one is repeated."""
LIVE = (*[HOUR] * 12, *[6 * HOUR] * 4, DAY)
"""Between looks at a running stream: one around the clock costs little in the end."""
JUST_ENDED = (4 * HOUR, 4 * HOUR, 12 * HOUR, DAY)
"""Until the recording of a live stream is complete, as it is not at first."""
LOCAL = timedelta(minutes=15)
"""Until this machine may have space, a proxy or a JavaScript runtime again."""


LONGEST_SPREAD = 6 * HOUR


class EarlierChecks(NamedTuple):
    """Fruitless checks of a video, one after the other, and its state at them."""

    video_id: str
    state: str = ""
    attempt: int = 0
    pauses: int = 0
    """How many pauses it has waited for since."""


@dataclass(frozen=True, slots=True)
class RetryAt:
    """Look again at `until`; None: when somebody asks for it."""

    state: State
    reason: str
    until: datetime | None
    attempt: int


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Do not look again. `rule` None: a person has to see to it (a dead letter)."""

    reason: str
    rule: Literal["gone"] | None
    attempt: int = 0
    """How many looks that took; 0: the first one said enough."""


def before_its_recording(video: Video, before: EarlierChecks, now: datetime) -> RetryAt | GiveUp | None:
    """Return how long to wait for a recording that is not complete, or None when it is."""
    match video.live_status:
        case "is_upcoming":
            return _upcoming(video.begins_at, "", before, now)
        case "is_live":
            return _waits("live", "it is live now: no full recording yet", LIVE, before, now)
        case "post_live":
            reason = "it has only just ended: the full recording is not there yet"
            return _waits("just ended", reason, JUST_ENDED, before, now)
        case "was_live" if before.state == "live":
            reason = "it was live when last looked at: its recording may not be complete yet"
            return _waits("just ended", reason, JUST_ENDED, before, now)
    return None


def after(error: Explained, before: EarlierChecks, now: datetime) -> RetryAt | GiveUp:
    """Return what follows from an error of YouTube, of a feed's server, or of this machine.

    Args:
        error: as it was raised; patience wraps what stayed unavailable, and its cause is what counts.
        before: of earlier looks.
        now: the moment of the refusal.
    """
    inner = error
    if not isinstance(error, Unavailable | YouTubeRefused) and isinstance(error.__cause__, Unavailable):
        inner = error.__cause__
    match inner:
        case Paused(until=until):
            return pause(inner.cause, until, before, now)
        case YouTubeRefused(verdict=verdict) | RefusedForNow(verdict=verdict):
            return after_refusal(verdict, before, now)
        case NotServed(status=410):
            return GiveUp(inner.cause, "gone")
        case NotServed():
            return _recheck(inner.cause, before, now)
        case Unavailable() if isinstance(inner.__cause__, OSError):
            return pause(inner.cause, now + LOCAL, before, now)
        case Unavailable():
            return _recheck(inner.cause, before, now, at_last=None)
    return GiveUp(error.cause, None)


def after_refusal(verdict: RefusalVerdict, before: EarlierChecks, now: datetime) -> RetryAt | GiveUp:
    """Return what follows from a refusal of YouTube."""
    reason = verdict.reason
    match verdict.kind:
        case "permanent" if verdict.is_private:
            return _recheck(f"{reason}; it may be scheduled", before, now)
        case "permanent":
            return GiveUp(reason, "gone")
        case "auth" if reason.startswith(PAID):
            return _recheck(f"{reason}; some are shown to everybody later", before, now)
        case "auth":
            return RetryAt("sign-in", reason, None, before.attempt + 1 if before.state == "sign-in" else 1)
        case "wait":
            return _not_there_yet(reason, before, now)
        case "recheck" | "geo" | "gone":
            return _recheck(reason, before, now)
        case "transient":
            return _recheck(reason, before, now, at_last=None)
        case "blocked" | "throttled":
            return pause(reason, now + HOUR, before, now)
        case "local":
            return pause(reason, now + LOCAL, before, now)
    return GiveUp(reason, None)


def pause(reason: str, until: datetime, before: EarlierChecks, now: datetime) -> RetryAt:
    """Return a wait that is not the video's own fault, and uses up none of its attempts.

    Many wait for the same moment. Each time one finds that it is not its turn yet, it comes back within
    twice the time, at a moment of its own, so that a long queue is not asked all the time.
    """
    share = int(stable_id(before.video_id, before.pauses)[:8], 16) / 2**32
    spread = min(SOON * 2 ** min(before.pauses, 16), LONGEST_SPREAD) * share
    return RetryAt("paused", reason, max(until, now + SOON) + spread, before.attempt)


def _not_there_yet(reason: str, before: EarlierChecks, now: datetime) -> RetryAt | GiveUp:
    said = reason.lower()
    if "recording is not complete" in said:
        return _waits("live", reason, LIVE, before, now)
    if "processing" in said or "recording is not available" in said:
        return _waits("just ended", reason, JUST_ENDED, before, now)
    return _upcoming(None, reason, before, now)


def _upcoming(
    begins_at: datetime | None, said: str, before: EarlierChecks, now: datetime
) -> RetryAt | GiveUp:
    if begins_at is None:
        reason = said or "it has not begun, and does not say when it will"
        return _waits("upcoming", reason, UPCOMING, before, now)
    moment = f"{begins_at:%Y-%m-%d %H:%M %Z}".strip()
    if begins_at > now:
        attempt = before.attempt + 1 if before.state == "upcoming" else 1
        until = begins_at + AFTER_BEGIN if begins_at < now + WEEK - AFTER_BEGIN else now + WEEK
        return RetryAt("upcoming", f"it is to begin on {moment}", max(until, now + SOON), attempt)
    if now - begins_at > NEVER_BEGAN:
        return GiveUp(f"it was to begin on {moment} and never did", "gone")
    return _waits("upcoming", f"it was to begin on {moment} and has not yet", UPCOMING, before, now)


def _recheck(
    reason: str, before: EarlierChecks, now: datetime, at_last: Literal["gone"] | None = "gone"
) -> RetryAt | GiveUp:
    """Wait as `RECHECK` says; `at_last`: the rule that rejects the video in the end."""
    attempt = before.attempt + 1 if before.state == "recheck" else 1
    if attempt > len(RECHECK):
        days = sum(RECHECK, timedelta()) / DAY
        return GiveUp(f"{reason}; so for {attempt} looks in {days:.0f} days", at_last, attempt)
    return RetryAt("recheck", reason, now + RECHECK[attempt - 1], attempt)


def _waits(
    state: State, reason: str, ladder: tuple[timedelta, ...], before: EarlierChecks, now: datetime
) -> RetryAt:
    attempt = before.attempt + 1 if before.state == state else 1
    return RetryAt(state, reason, now + ladder[min(attempt, len(ladder)) - 1], attempt)
