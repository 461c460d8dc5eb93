"""Checks of sources requested on the page: one at a time, in a thread, with a timeout."""

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
"""Timeout of a check (seconds)."""


@dataclass(frozen=True, slots=True)
class Checked:
    """The result of a check of a source, or of a preview of one that is not watched yet."""

    watched: Watched
    checks: Sequence[SourceCheck]
    preview: bool = False

    @property
    def works(self) -> bool:
        """Whether at least one lane works that is sufficient to find the source's talks."""
        return any(each.works and each.vouches for each in self.checks)


async def in_time(
    look: Callable[[], list[SourceCheck]], source: Source, one: threading.Lock
) -> list[SourceCheck]:
    """Return the result of `look`, run in a daemon thread, which does not delay the end of the process.

    Raises:
        RequestRefused: 409, another check is going on; 422, it is a folder.
        Unavailable: it takes too long, or broke.
    """
    if source.kind == "folder":
        raise RequestRefused(
            422,
            "a folder cannot be checked from the page, because that would read files of the server",
            f"on the server, run groundswell sources check {source.source_id}",
        )
    if not one.acquire(blocking=False):
        raise RequestRefused(
            409, "another check is running, and only one runs at a time", "try again in a minute"
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
            f"checking {source.locator[:200]} takes longer than {CHECK_S:.0f} seconds",
            "its site is slow, or other sources are read first; try again in a few minutes",
        ) from error
    except (Explained, OSError):
        raise
    except Exception as error:
        log.exception("a check failed", source=source.locator)
        raise Unavailable(
            f"reading {source.kind} {source.locator[:200]} failed ({type(error).__name__})",
            "report it as a bug, with the log; other sources are not affected",
        ) from error
