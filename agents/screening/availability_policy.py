"""The policy for unavailable videos: how long a video waits and when it is given up.

Pure: the same refusal, history and time give the same decision. The caller parks or rejects the video.
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
"""Minimum time until the next check."""
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
RECHECK = (HOUR, 6 * HOUR, DAY, 3 * DAY, 7 * DAY, 14 * DAY)
"""Waits after each refusal that may be temporary; after one more refusal the video is given up."""
AFTER_BEGIN = HOUR
"""Wait from the announced start of an upcoming video to the next check."""
WEEK = 7 * DAY
"""Maximum wait between checks of an upcoming video: its start may be moved forward."""
NEVER_BEGAN = 30 * DAY
"""Time after the announced start at which a video that has not begun is given up."""
UPCOMING = (HOUR, 3 * HOUR, 6 * HOUR, DAY)
"""Waits for a video that is overdue or states no start; the last one is repeated."""
LIVE = (*[HOUR] * 12, *[6 * HOUR] * 4, DAY)
"""Waits for a running stream; the last one is repeated, so that a permanent stream costs little."""
JUST_ENDED = (4 * HOUR, 4 * HOUR, 12 * HOUR, DAY)
"""Waits for the recording of a live stream, which is incomplete at first; the last one is repeated."""
LOCAL = timedelta(minutes=15)
"""Wait for a problem of this machine: disk space, proxy or JavaScript runtime."""


LONGEST_SPREAD = 6 * HOUR


class EarlierChecks(NamedTuple):
    """The failed checks of a video in a row, and its state at them."""

    video_id: str
    state: str = ""
    attempt: int = 0
    pauses: int = 0
    """The number of pauses in a row that the video has waited for."""


@dataclass(frozen=True, slots=True)
class RetryAt:
    """Check the video again at `until`; None: when a person asks for it."""

    state: State
    reason: str
    until: datetime | None
    attempt: int


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Do not check the video again. `rule` None: a dead letter, which a person has to handle."""

    reason: str
    rule: Literal["gone"] | None
    attempt: int = 0
    """The number of checks; 0: the refusal was final."""


def before_its_recording(video: Video, before: EarlierChecks, now: datetime) -> RetryAt | GiveUp | None:
    """Return how long to wait for an incomplete recording, or None if it is complete."""
    match video.live_status:
        case "is_upcoming":
            return _upcoming(video.begins_at, "", before, now)
        case "is_live":
            return _waits("live", "it is live now: no full recording yet", LIVE, before, now)
        case "post_live":
            reason = "it has only just ended: the full recording is not there yet"
            return _waits("just ended", reason, JUST_ENDED, before, now)
        case "was_live" if before.state == "live":
            reason = "it was live at the last check: its recording may not be complete yet"
            return _waits("just ended", reason, JUST_ENDED, before, now)
    return None


def after(error: Explained, before: EarlierChecks, now: datetime) -> RetryAt | GiveUp:
    """Return the decision after an error of YouTube, of a feed's server, or of this machine.

    Args:
        error: the error as raised; `with_retries` wraps an `Unavailable`, and then its cause counts.
        before: the earlier checks.
        now: the time of the error.
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
    """Return the decision after a refusal of YouTube."""
    reason = verdict.reason
    match verdict.kind:
        case "permanent" if verdict.is_private:
            return _recheck(f"{reason}; it may be scheduled", before, now)
        case "permanent":
            return GiveUp(reason, "gone")
        case "auth" if reason.startswith(PAID):
            return _recheck(f"{reason}; some become public later", before, now)
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
    """Return a wait that the video did not cause, and that uses up none of its attempts.

    Many videos wait for the end of the same pause. So each gets a delay of its own, whose range doubles with
    every further pause, up to `LONGEST_SPREAD`; this keeps a long queue from asking all the time.
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
        reason = said or "it has not begun, and its start is unknown"
        return _waits("upcoming", reason, UPCOMING, before, now)
    moment = f"{begins_at:%Y-%m-%d %H:%M %Z}".strip()
    if begins_at > now:
        attempt = before.attempt + 1 if before.state == "upcoming" else 1
        until = begins_at + AFTER_BEGIN if begins_at < now + WEEK - AFTER_BEGIN else now + WEEK
        return RetryAt("upcoming", f"it will begin on {moment}", max(until, now + SOON), attempt)
    if now - begins_at > NEVER_BEGAN:
        return GiveUp(f"it was to begin on {moment} and never did", "gone")
    return _waits("upcoming", f"it was to begin on {moment} and has not yet", UPCOMING, before, now)


def _recheck(
    reason: str, before: EarlierChecks, now: datetime, at_last: Literal["gone"] | None = "gone"
) -> RetryAt | GiveUp:
    """Return the next wait of `RECHECK`; `at_last`: the rule that rejects the video at the end."""
    attempt = before.attempt + 1 if before.state == "recheck" else 1
    if attempt > len(RECHECK):
        days = sum(RECHECK, timedelta()) / DAY
        return GiveUp(f"{reason}; the same at {attempt} checks in {days:.0f} days", at_last, attempt)
    return RetryAt("recheck", reason, now + RECHECK[attempt - 1], attempt)


def _waits(
    state: State, reason: str, ladder: tuple[timedelta, ...], before: EarlierChecks, now: datetime
) -> RetryAt:
    attempt = before.attempt + 1 if before.state == state else 1
    return RetryAt(state, reason, now + ladder[min(attempt, len(ladder)) - 1], attempt)
