"""Rate limiter and circuit breaker for requests to YouTube from one address.

A governor belongs to one egress identity (a proxy and a cookie file). All processes of a machine with this
identity share its file, so neither the count of requests nor a pause is lost in a restart.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import structlog
from pydantic import AwareDatetime, BaseModel, ValidationError

from streams.errors import Paused, Unavailable
from streams.telemetry import YOUTUBE_REFUSALS
from streams.youtube.errors import RefusalVerdict

log = structlog.get_logger()

WAIT_MAX_S = 60.0
"""Longest wait for a turn (seconds), because a waiting thread delays the end of the process."""
BURST = 0.1
"""Share of an hour's turns that may come without a wait: no hour has more than 1.1 times its own."""
JITTER = 0.5
"""Random extra wait, up to this share of the time between two turns, so that requests show no rhythm."""
PAUSE_JITTER = 0.1
LONGEST_PAUSE_S = 86_400.0
TRIAL_S = 900.0
"""Seconds after which a trial without a result counts as lost, as its process may have died."""

_INCONCLUSIVE = ("transient", "local", "unsupported")


class LimiterStatus(NamedTuple):
    """The public status of one egress identity; `identity` holds no password and no cookie."""

    identity: str
    open_until: datetime | None
    """End of the present pause; None: requests are allowed."""
    reason: str
    """Reason of the present or last pause; empty: there was none."""
    asked_last_hour: int
    """Number of turns (listing pages, videos, downloads) in the last hour, to the minute."""
    per_hour: int
    turns: int
    """Number of all turns so far."""
    requests: int
    """Number of all HTTP requests so far; one turn takes several."""


class _State(BaseModel):
    """The content of the file. A turn may be taken in advance, so `tokens` may fall below zero."""

    identity: str
    tokens: float
    filled_at: AwareDatetime
    streak: int = 0
    open_until: AwareDatetime | None = None
    reason: str = ""
    trial_until: AwareDatetime | None = None
    minutes: dict[int, int] = {}
    """Turns by minute since 1970, for the last hour."""
    turns: int = 0
    requests: int = 0


class Governor:
    """A token bucket and a circuit breaker before every piece of work: a page, a video, a download.

    A verdict about the session (YouTube limits this address, or takes it for a bot) opens the breaker:
    every `turn` raises `Paused`, without a request. After the pause, one trial is let through; it closes
    the breaker, or opens it for twice as long, up to a day.

    Args:
        folder: folder of the state; created if missing.
        identity: readable name of the address and account, see `identity_of`.
        per_hour: turns per hour; a tenth of them may come at once.
        pause_s: length of the first pause (seconds).
        now: the clock of all processes that share the folder.
        sleep: waits for a number of seconds.
        jitter: returns a random share, 0 to 1.
    """

    def __init__(
        self,
        folder: Path,
        identity: str,
        per_hour: int,
        pause_s: float,
        *,
        now: Callable[[], datetime],
        sleep: Callable[[float], None],
        jitter: Callable[[], float],
    ) -> None:
        self._identity = identity
        self._path = folder / f"{hashlib.sha256(identity.encode()).hexdigest()[:16]}.json"
        self._per_hour = per_hour
        self._interval = timedelta(hours=1) / per_hour
        self._burst = max(1.0, per_hour * BURST)
        self._pause_s = pause_s
        self._now = now
        self._sleep = sleep
        self._jitter = jitter

    def turn(self) -> None:
        """Wait until the next piece of work may begin; report its end with `succeeded` or `refused`.

        Raises:
            Paused: it may not begin now. No token was taken, so a later call costs nothing.
            Unavailable: the state cannot be stored, so the turn would not be counted.
        """
        with self._locked() as state:
            now = self._now()
            self._let_through(state, now)
            wait_s = self._take(state, now)
        if wait_s > 0:
            self._sleep(wait_s)
            state = self._read()
            if state.open_until is not None and self._now() < state.open_until:
                raise _paused(state.open_until, state.reason)  # another process was refused meanwhile

    def raise_if_paused(self) -> None:
        """Raise `Paused` during a pause, as `turn` would; no token is taken and no trial let through."""
        state = self._read()
        if state.open_until is not None and self._now() < state.open_until:
            raise _paused(state.open_until, state.reason)

    def refused(self, verdict: RefusalVerdict) -> None:
        """Record that a piece of work failed because of YouTube or of this machine.

        Only a refusal of the whole session begins a pause. A refusal of one video shows that YouTube answers;
        a network or disk error shows nothing, and lets the next piece of work be the trial.
        """
        YOUTUBE_REFUSALS.labels(verdict.kind).inc()
        if verdict.scope == "session" and verdict.kind in ("throttled", "blocked"):
            self._open(verdict)
        elif verdict.kind in _INCONCLUSIVE:
            if self._read().trial_until is not None:
                with self._locked() as state:
                    state.trial_until = None
        else:
            self.succeeded()

    def succeeded(self) -> None:
        """Record that YouTube answered normally, which closes the breaker after a pause."""
        state = self._read()
        if not state.streak and state.trial_until is None:
            return
        with self._locked() as state:
            if state.open_until is not None and self._now() < state.open_until:
                return  # it began before the pause, so it does not end it
            if state.streak:
                log.info("YouTube answers again", identity=self._identity)
            state.streak, state.open_until, state.trial_until = 0, None, None

    def counted(self, requests: int) -> None:
        """Add HTTP requests that were sent to the count that `status` returns."""
        if requests:
            with self._locked() as state:
                state.requests += requests

    def status(self) -> LimiterStatus:
        """Return the status of this identity; nothing is requested or written."""
        state, now = self._read(), self._now()
        is_open = state.open_until is not None and now < state.open_until
        return LimiterStatus(
            identity=self._identity,
            open_until=state.open_until if is_open else None,
            reason=state.reason,
            asked_last_hour=sum(_last_hour(state.minutes, now).values()),
            per_hour=self._per_hour,
            turns=state.turns,
            requests=state.requests,
        )

    def _let_through(self, state: _State, now: datetime) -> None:
        """Raise `Paused` while the breaker is open; afterwards let one trial through."""
        if state.open_until is not None and now < state.open_until:
            raise _paused(state.open_until, state.reason)
        if not state.streak:
            return
        if state.trial_until is not None and now < state.trial_until:
            until = now + min(state.trial_until - now, timedelta(seconds=WAIT_MAX_S))
            raise _paused(until, f"one request tries whether it answers again ({state.reason})")
        state.trial_until = now + timedelta(seconds=TRIAL_S)

    def _take(self, state: _State, now: datetime) -> float:
        """Take a token, and return the wait until it is available (seconds)."""
        gained = max(now - state.filled_at, timedelta()) / self._interval
        tokens = min(self._burst, state.tokens + gained) - 1
        wait = timedelta()
        if tokens < 0:
            wait = (JITTER * self._jitter() - tokens) * self._interval
        if wait.total_seconds() > WAIT_MAX_S:
            raise Paused(
                f"the {self._per_hour} requests per hour to YouTube are used up",
                "groundswell continues by itself; watch fewer sources, or set GROUNDSWELL_REQUESTS_PER_HOUR "
                "if YouTube is known to accept more",
                now + wait,
            )
        state.tokens, state.filled_at = tokens, max(now, state.filled_at)
        minute = int(now.timestamp()) // 60
        state.minutes = _last_hour(state.minutes, now)
        state.minutes[minute] = state.minutes.get(minute, 0) + 1
        state.turns += 1
        return wait.total_seconds()

    def _open(self, verdict: RefusalVerdict) -> None:
        with self._locked() as state:
            now = self._now()
            if state.open_until is not None and now < state.open_until:
                return  # it began before the pause: the same refusal, reported twice
            state.streak += 1
            longest_s = max(LONGEST_PAUSE_S, self._pause_s)
            pause_s = min(self._pause_s * 2.0 ** min(state.streak - 1, 32), longest_s)
            pause = timedelta(seconds=pause_s * (1 + PAUSE_JITTER * self._jitter()))
            state.open_until, state.trial_until = now + pause, None
            state.reason = verdict.reason
            # Tokens that would accumulate during the pause must not be spent at once right after a refusal.
            state.tokens, state.filled_at = 1.0, state.open_until
            log.warning(
                "YouTube is left alone",
                identity=self._identity,
                reason=verdict.reason,
                until=state.open_until.isoformat(timespec="seconds"),
                in_a_row=state.streak,
            )

    @contextmanager
    def _locked(self) -> Iterator[_State]:
        """Yield the state under an exclusive lock; it is written atomically unless the block raises."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.with_suffix(".lock").open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                state = self._read()
                yield state
                temporary = self._path.with_suffix(".tmp")
                with temporary.open("w") as file:
                    file.write(state.model_dump_json())
                    file.flush()
                    os.fsync(file.fileno())
                temporary.replace(self._path)
        except OSError as error:
            raise Unavailable(
                f"cannot write the count of requests to YouTube to {self._path} ({error.strerror})",
                "free disk space or correct the folder's permissions",
            ) from error

    def _read(self) -> _State:
        now = self._now()
        try:
            state = _State.model_validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return self._fresh(now)
        except ValidationError:
            log.warning("the count of requests to YouTube restarts: its file is damaged", path=self._path)
            return self._fresh(now)
        except OSError as error:
            raise Unavailable(
                f"cannot read the count of requests to YouTube in {self._path} ({error.strerror})",
                "correct the file's permissions",
            ) from error
        # A clock that was once wrong must not cause a pause of years: one longer than any pause ends now.
        latest = now + timedelta(seconds=(1 + PAUSE_JITTER) * max(LONGEST_PAUSE_S, self._pause_s))
        if state.open_until is not None and state.open_until > latest:
            state.open_until = now
        if state.filled_at > latest:
            state.filled_at = now
        return state

    def _fresh(self, now: datetime) -> _State:
        return _State(identity=self._identity, tokens=self._burst, filled_at=now)


def identity_of(proxy: str, cookies: str) -> str:
    """Return a readable name of an egress identity, unique and without secrets.

    Example:
        >>> identity_of("", "")
        'no proxy, as a guest'
        >>> identity_of("http://ann:secret@proxy.example.org:3128", "/home/ann/cookies.txt")
        'proxy proxy.example.org:3128 as user 49915e0d, with the cookies of /home/ann/cookies.txt'
    """
    through = "no proxy"
    if proxy:
        where = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        through = f"proxy {where.netloc.rpartition('@')[2]}"
        if where.username:  # some proxies use an address per user, or keys as user names
            through += f" as user {hashlib.sha256(where.username.encode()).hexdigest()[:8]}"
    return f"{through}, {f'with the cookies of {cookies}' if cookies else 'as a guest'}"


def _last_hour(minutes: dict[int, int], now: datetime) -> dict[int, int]:
    first = int(now.timestamp()) // 60 - 59
    return {minute: count for minute, count in minutes.items() if minute >= first}


def _paused(until: datetime, reason: str) -> Paused:
    moment = until.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return Paused(
        f"YouTube is left alone until {moment}: {reason}",
        "groundswell continues by itself then; watch fewer sources, or use another address "
        "(GROUNDSWELL_PROXY)",
        until,
    )
