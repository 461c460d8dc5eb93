"""A check that somebody asked for on the page: one at a time, in a thread, and not waited for without end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

import structlog

from agents.discovery.source_check import SourceCheck
from agents.web.dependencies import RequestRefused
from streams.errors import Explained, Unavailable
from streams.events import Source
from streams.state.sources import Watched

log = structlog.get_logger()
CHECK_S = 45.0
"""So long a page waits for a check (seconds)."""


@dataclass(frozen=True, slots=True)
class Checked:
    """The result of a check of a source."""

    watched: Watched
    checks: Sequence[SourceCheck]

    @property
    def works(self) -> bool:
        """Whether a lane works without which talks would be missed."""
        return any(each.works and each.vouches for each in self.checks)


async def in_time(
    look: Callable[[], list[SourceCheck]], source: Source, one: threading.Lock
) -> list[SourceCheck]:
    """Return what a look shows, from a thread that holds up nobody, not even the end of the process.

    Raises:
        RequestRefused: 409, another check is going on; 422, it is a folder.
        Unavailable: it takes too long, or broke.
    """
    if source.kind == "folder":
        raise RequestRefused(
            422,
            "a folder is not checked from the page, which would read files of the machine that runs it",
            f"on that machine run groundswell sources check {source.source_id}",
        )
    if not one.acquire(blocking=False):
        raise RequestRefused(
            409, "another check is going on, and there is one at a time", "try again in a minute"
        )
    future: Future[list[SourceCheck]] = Future()
    future.set_running_or_notify_cancel()

    def run() -> None:
        try:
            future.set_result(look())
        except BaseException as error:
            future.set_exception(error)
        finally:
            one.release()

    threading.Thread(target=run, name="check", daemon=True).start()
    try:
        return await asyncio.wait_for(asyncio.wrap_future(future), CHECK_S)
    except TimeoutError as error:
        raise Unavailable(
            f"to check {source.locator[:200]} takes longer than {CHECK_S:.0f} seconds",
            "whom it asks is slow, or asked for other sources first: try again in a few minutes",
        ) from error
    except (Explained, OSError):
        raise
    except Exception as error:
        log.exception("a check broke", source=source.locator)
        raise Unavailable(
            f"reading {source.kind} {source.locator[:200]} broke ({type(error).__name__})",
            "report it with the log; the other sources go on",
        ) from error
