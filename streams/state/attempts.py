"""Counter of process deaths per event, so that one poisonous message does not cause a crash loop.

A mark is a small file in the blob store, written when a process dies at an event and deleted when the event
is settled, so events without a death cost nothing. Its name is the event's id, which is the same in a new
log and after an upgrade.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from typing import NamedTuple

import structlog

from streams.errors import DataError
from streams.state.blobs import Blobs
from streams.state.crashes import AtWork

log = structlog.get_logger()
FOLDER = "attempts"
DEATHS = 3
"""Number of deaths at an event after which it becomes a dead letter."""
WORDS = {3: "three"}
TRACEBACK = 20_000
"""Number of characters of a traceback that are kept: the last ones, which name the error."""


class RepeatedDeathError(DataError):
    """Groundswell died at this event `DEATHS` times; `traceback` is that of the last death."""

    def __init__(self, why: str, traceback: str) -> None:
        super().__init__(
            f"groundswell failed on this {WORDS.get(DEATHS, DEATHS)} times ({why})",
            "read the traceback in groundswell dead-letters show, report it or upgrade, then replay",
        )
        self.traceback = traceback


class Mark(NamedTuple):
    """Deaths of processes at an event: how many, and the cause of the last."""

    deaths: int
    why: str = ""
    traceback: str = ""


class Attempts:
    """The marks of one agent.

    Args:
        blobs: the study's blob store; every worker of the agent sees the same marks.
        agent: the agent's name.
        at_work: records the events that a crash of the interpreter would interrupt; None: no record.
    """

    def __init__(self, blobs: Blobs, agent: str, at_work: AtWork | None = None) -> None:
        self._blobs = blobs
        self._agent = agent
        self._at_work = at_work
        self._marked: set[str] = set()

    def _key(self, event_id: str) -> str:
        return f"{FOLDER}/{self._agent}/{event_id}.json"

    async def look_again(self) -> None:
        """Reload the marks: at the start, and when this worker takes over another worker's events."""
        keys = await asyncio.to_thread(lambda: list(self._blobs.keys(f"{FOLDER}/{self._agent}")))
        self._marked = {key.rpartition("/")[2].removesuffix(".json") for key in keys}

    async def begin(self, event_id: str) -> bool:
        """Record that an event is being processed; return whether a process has died at it before.

        Raises:
            RepeatedDeathError: processes died at it `DEATHS` times.
        """
        if event_id in self._marked:
            mark = await asyncio.to_thread(self._mark, event_id)
            if mark.deaths >= DEATHS:
                raise RepeatedDeathError(mark.why, mark.traceback)
        if self._at_work is not None:
            self._at_work.begin(event_id)
        return event_id in self._marked

    async def died(self, event_ids: Iterable[str], why: str, traceback: str) -> None:
        """Durably mark the events at which this process is about to end."""
        for event_id in event_ids:
            deaths = await asyncio.to_thread(self._count, event_id, why, traceback)
            self._marked.add(event_id)
            log.error("died at an event", agent=self._agent, event_id=event_id, deaths=deaths, why=why)

    def _count(self, event_id: str, why: str, traceback: str) -> int:
        mark = Mark(self._mark(event_id).deaths + 1, why, traceback[-TRACEBACK:])
        self._blobs.put(self._key(event_id), json.dumps(mark._asdict()).encode())
        return mark.deaths

    async def done(self, event_ids: Iterable[str]) -> None:
        """Delete the marks of events that are settled or became dead letters."""
        for event_id in event_ids:
            if event_id in self._marked:
                await asyncio.to_thread(self._blobs.delete, self._key(event_id))
                self._marked.discard(event_id)
            if self._at_work is not None:
                self._at_work.done(event_id)

    def _mark(self, event_id: str) -> Mark:
        if not self._blobs.exists(self._key(event_id)):
            return Mark(0)
        try:
            return Mark(**json.loads(self._blobs.get(self._key(event_id))))
        except (DataError, ValueError, TypeError):  # deleted meanwhile, or damaged: the count restarts
            return Mark(0)
