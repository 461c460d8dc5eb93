"""Trying again what the outside world refused for now; in the end a dead letter, never a lost talk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

import stamina
import structlog

from streams.errors import DataError, Unavailable

log = structlog.get_logger()
T = TypeVar("T")
ATTEMPTS = 6
WAIT_MAX_S = 120.0


async def patiently(call: Callable[[], T], *, attempts: int = ATTEMPTS) -> T:
    """Run a blocking call in a thread; when it is `Unavailable` try again with back-off.

    Raises:
        DataError: it stayed unavailable; the cause is kept and the cure is to replay later.
    """
    try:
        async for attempt in stamina.retry_context(
            on=Unavailable, attempts=attempts, timeout=None, wait_initial=2.0, wait_max=WAIT_MAX_S
        ):
            with attempt:
                try:
                    return await asyncio.to_thread(call)
                except Unavailable as error:
                    log.warning("trying again later", attempt=attempt.num, cause=error.cause)
                    raise
    except Unavailable as error:
        raise DataError(f"{error.cause} ({attempts} attempts)", f"{error.cure}; then replay") from error
    raise AssertionError("unreachable: the last attempt raises")
