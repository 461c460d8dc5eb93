"""discover: sources → videos.seen. Looks at channels, playlists and searches when they are due.

It also empties the outbox: what was seen once and never finished is sent again when the broker's log
is a new one (the embedded broker forgets), and what never reached the store is sent again in any case.
In an epoch that a rebuild began, so are the talks that its topic model has not learned yet.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import structlog

from agents import rebuild
from agents.patience import patiently
from agents.stage import Agent, Position
from streams.blobs import Blobs
from streams.epochs import Epoch, Epochs
from streams.errors import DataError
from streams.events import Event, Sighting, Source, SourceDue, VideoSeen
from streams.outbox import Outbox
from streams.settings import Settings
from streams.sources import Sources
from streams.store import read
from streams.store.warehouse import Warehouse
from streams.topics import SOURCES_DUE, VIDEOS_SEEN, Topic
from streams.youtube import YouTube

log = structlog.get_logger()
KNOWN_STREAK = 30
"""After so many known videos in a row a channel has nothing new: stop asking for pages."""
LOG_KEY = "outbox-log"


class Discover(Agent):
    """Finds videos. A video known from the same source is not sent again."""

    name: ClassVar[str] = "discover"
    reads: ClassVar[tuple[Topic, ...]] = (SOURCES_DUE,)
    tick_s: ClassVar[float | None] = 5.0

    def __init__(
        self,
        settings: Settings,
        blobs: Blobs,
        warehouse: Warehouse,
        log_ids: dict[str, str],
        youtube: YouTube,
        *,
        now: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._blobs = blobs
        self._warehouse = warehouse
        self._log_id = log_ids[VIDEOS_SEEN.name]
        self._youtube = youtube
        self._now = now
        self._outbox = Outbox(blobs)
        self._sources = Sources(blobs)
        self._sent: dict[str, datetime] = {}
        self._epochs = Epochs(blobs)
        self._relearning: Epoch | None = None

    async def start(self) -> Sequence[Event]:
        """Return the sightings, and in a rebuilt study the transcripts, that have to be sent again."""
        return await asyncio.to_thread(self._unfinished)

    def _unfinished(self) -> list[Event]:
        previous = self._blobs.get(LOG_KEY).decode() if self._blobs.exists(LOG_KEY) else ""
        new_log = previous != self._log_id
        relearn = list(self._relearn(new_log))
        done = read.finished_videos(self._warehouse) if new_log else read.known_videos(self._warehouse)
        again: list[Event] = [seen for seen in self._outbox.entries() if seen.key not in done]
        if again:
            log.info("sending unfinished videos again", videos=len(again), new_log=new_log)
        self._blobs.put(LOG_KEY, self._log_id.encode())
        return [*relearn, *again]

    def _relearn(self, new_log: bool) -> Iterator[Event]:
        epoch = self._epochs.current()
        if epoch.number and (new_log or self._epochs.sent() < epoch.number):
            yield from rebuild.to_learn(self._blobs, self._warehouse, epoch)
            self._relearning = epoch

    async def tick(self) -> Sequence[Event]:
        """Return the sources that are due."""
        if self._relearning is not None:  # what `start` returned has been sent by now
            await asyncio.to_thread(self._epochs.mark_sent, self._relearning)
            self._relearning = None
        return await asyncio.to_thread(lambda: list(self._due()))

    def _due(self) -> Iterator[SourceDue]:
        interval = timedelta(seconds=self._settings.poll_interval_s)
        now = self._now()
        slot = datetime.fromtimestamp(
            now.timestamp() // interval.total_seconds() * interval.total_seconds(), UTC
        )
        for source in self._sources.all():
            last = self._sent.get(source.source_id) or self._sources.visited_at(source.source_id)
            if last is None or now - last >= interval:
                self._sent[source.source_id] = now
                yield SourceDue(source=source, slot=slot)

    async def handle(self, event: Event, at: Position) -> Sequence[Event]:
        """Return a sighting of each video that this source did not show before."""
        if not isinstance(event, SourceDue):
            raise DataError(f"{type(event).__name__} is not for discover", "drop it")
        found = await patiently(lambda: list(self._look(event.source)))
        await asyncio.to_thread(self._sources.visit, event.source.source_id, self._now())
        log.info("looked at source", source=event.source.locator, new=len(found))
        return found

    def _look(self, source: Source) -> Iterator[VideoSeen]:
        known = read.sighted_by(self._warehouse, source.source_id)
        limit = self._settings.search_results if source.kind == "search" else None
        streak = 0
        for found in self._youtube.listing(source, limit):
            if found.video.video_id in known:
                streak += 1
                if source.kind == "channel" and streak >= KNOWN_STREAK:
                    return
                continue
            streak = 0
            query = source.locator if source.kind == "search" else ""
            seen = VideoSeen(
                video=found.video,
                sighting=Sighting(
                    source_id=source.source_id,
                    kind=source.kind,
                    query=query,
                    rank=found.rank,
                    seen_at=self._now(),
                ),
            )
            self._outbox.keep(seen)
            yield seen
