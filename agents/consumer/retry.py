"""Retries of calls to the outside world; when all attempts fail, the result is an error for a dead letter."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

import stamina
import structlog

from streams.errors import DataError, Paused, Unavailable
from streams.youtube.errors import RefusedForNow, YouTubeRefused

log = structlog.get_logger()
T = TypeVar("T")
ATTEMPTS = 6
WAIT_MAX_S = 120.0


def _worth_another(error: Exception) -> bool:
    if isinstance(error, RefusedForNow) and error.verdict.kind in ("throttled", "blocked"):
        return False
    return isinstance(error, Unavailable) and not isinstance(error, Paused)


_tries = partial(
    stamina.retry_context, on=_worth_another, timeout=None, wait_initial=2.0, wait_max=WAIT_MAX_S
)


async def with_retries(call: Callable[[], T], *, attempts: int = ATTEMPTS) -> T:
    """Run a blocking call in a thread; on `Unavailable` retry with exponential back-off.

    Throttling and pauses are raised at once, without a retry.

    Raises:
        Paused: the call was not made and does not count as an attempt.
        RefusedForNow: YouTube throttles or blocks this machine's address; another attempt would fail too.
        DataError: every attempt failed; it keeps the cause, and its cure is to replay later. With a verdict
            of YouTube, a `YouTubeRefused`.
    """
    try:
        async for attempt in _tries(attempts=attempts):
            with attempt, _said(attempt):
                return await asyncio.to_thread(call)
    except Unavailable as error:
        if not _worth_another(error):
            raise
        cause, cure = f"{error.cause} ({attempts} attempts)", f"{error.cure}; then replay"
        if isinstance(error, RefusedForNow):
            raise YouTubeRefused(cause, cure, error.verdict) from error
        raise DataError(cause, cure) from error
    raise AssertionError("unreachable: the last attempt raises")


def retried(call: Callable[[], T], *, attempts: int = ATTEMPTS) -> T:
    """Run a blocking call as `with_retries` does, but in this thread: Ctrl-C ends the call and the pauses.

    Raises:
        Unavailable: every attempt failed; its cause is that of the last one.
    """
    try:
        for attempt in _tries(attempts=attempts):
            with attempt, _said(attempt):
                return call()
    except Unavailable as error:
        if not _worth_another(error):
            raise
        raise Unavailable(f"{error.cause} ({attempts} attempts)", error.cure) from error
    raise AssertionError("unreachable: the last attempt raises")


@contextmanager
def _said(attempt: stamina.Attempt) -> Iterator[None]:
    """Log an error after which the call is tried again."""
    try:
        yield
    except Unavailable as error:
        if _worth_another(error):
            log.warning("trying again later", attempt=attempt.num, cause=error.cause)
        raise
