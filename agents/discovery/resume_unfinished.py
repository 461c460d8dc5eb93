"""Resends unfinished videos after a restart or a loss of the broker's log.

The embedded broker loses its log when it ends, and a cluster can be lost. With a new log, all unfinished
videos in the outbox are sent again; with the same log, only those that never reached the store. Parked videos
stay in the parking lot; their event is sent again if the store does not have it. In an epoch that a rebuild
began, the talks that its topic model has not learned yet are sent again as well.

The new log's identity is stored only after the broker has all of them: a process that is killed in between
sends them again at its next start.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from agents.consumer.dead_letter import Position, dead_letter
from agents.topics import rebuild
from streams.errors import DataError
from streams.events import DeadLettered, Event, VideoParked, VideoSeen
from streams.kafka.topics import VIDEOS_SEEN
from streams.state.blobs import Blobs
from streams.state.epochs import Epoch, Epochs
from streams.state.outbox import Outbox, Unreadable
from streams.state.parked_videos import ParkingLot
from streams.store.operations import completeness
from streams.store.operations.parked import parked_at
from streams.store.talks import talk_queries
from streams.store.warehouse import Warehouse

log = structlog.get_logger()
LOG_KEY = "outbox-log"
STARTING = 12
"""Number of ticks, about a minute, in which talks handed in before the start may still appear."""
A_MOMENT = timedelta(milliseconds=1)
"""The resolution of timestamps in the database."""


class ResumeUnfinished:
    """Finds unfinished videos before `discover` visits sources, and for a minute afterwards.

    Args:
        blobs: the study's blob store.
        warehouse: the study's database, which holds the known and the finished videos.
        log_id: the identity of the log of `videos.seen`.
        announced: the file that announces this process; clients that find it send their talks themselves.
        now: the clock.
    """

    def __init__(
        self, blobs: Blobs, warehouse: Warehouse, log_id: str, announced: Path, now: Callable[[], datetime]
    ) -> None:
        self._blobs = blobs
        self._warehouse = warehouse
        self._log_id = log_id
        self._announced = announced
        self._now = now
        self._outbox = Outbox(blobs)
        self._lot = ParkingLot(blobs)
        self._epochs = Epochs(blobs)
        self._relearning: Epoch | None = None
        self._unmarked = False
        self._kept: set[str] = set()
        self._starting = STARTING

    def at_start(self) -> list[Event]:
        """Return the sightings to send again, and in a rebuilt study the transcripts."""
        previous = self._blobs.get(LOG_KEY).decode() if self._blobs.exists(LOG_KEY) else ""
        new_log = previous != self._log_id
        relearn = list(self._relearn(new_log))
        done = (
            completeness.completeness(self._warehouse).complete
            if new_log
            else talk_queries.known_videos(self._warehouse)
        )
        self._kept = self._outbox.keys()
        unreadable: list[Unreadable] = []
        unfinished = [seen for seen in self._outbox.entries(self._kept, unreadable) if seen.key not in done]
        waiting = {seen.key: parked for seen in unfinished if (parked := self._parked(seen.key))}
        again: list[Event] = [seen for seen in unfinished if seen.key not in waiting]
        if again:
            log.info("sending unfinished videos again", videos=len(again), new_log=new_log)
        if new_log:
            stored = parked_at(self._warehouse)
            again += [parked for parked in waiting.values() if not _is_told(parked, stored)]
        self._unmarked = new_log
        letters = [self._letter(each) for each in unreadable]
        return [*relearn, *again, *letters]

    def mark_sent(self) -> None:
        """Note that the broker has the events of `at_start`."""
        if self._unmarked:
            self._blobs.put(LOG_KEY, self._log_id.encode())
            self._unmarked = False
        if self._relearning is not None:
            self._epochs.mark_sent(self._relearning)
            self._relearning = None

    def late(self) -> list[VideoSeen]:
        """Return the talks that were handed in while this process started, when no broker was found."""
        if not self._starting or not self._announced.exists():
            return []
        self._starting -= 1
        since = datetime.fromtimestamp(self._announced.stat().st_mtime, UTC)
        late = self._outbox.keys() - self._kept
        self._kept |= late
        return [seen for seen in self._outbox.entries(late) if seen.sighting.seen_at < since]

    def _letter(self, kept: Unreadable) -> DeadLettered:
        """Return the dead letter of an unreadable outbox entry: the same one at every start."""
        log.warning("a kept sighting cannot be read", key=kept.key, cause=kept.error.cause)
        return dead_letter(
            self._blobs,
            "discover",
            Position(kept.key, VIDEOS_SEEN.name, 0, 0),
            payload=kept.content,
            video_id=_video_id(kept.content),
            error=kept.error,
            now=self._now(),
        )

    def _parked(self, video_id: str) -> VideoParked | None:
        try:
            parking = self._lot.get(video_id)
        except DataError as error:  # the video is screened again, so nothing is lost
            log.error("cannot read a parked video", cause=error.cause, cure=error.cure)
            return None
        return parking.parked if parking else None

    def _relearn(self, new_log: bool) -> Iterator[Event]:
        epoch = self._epochs.current()
        if epoch.number and (new_log or self._epochs.sent() < epoch.number):
            yield from rebuild.to_learn(self._blobs, self._warehouse, epoch)
            self._relearning = epoch


def _is_told(parked: VideoParked, stored: Mapping[str, datetime]) -> bool:
    known = stored.get(parked.key)
    return known is not None and parked.parked_at - known < A_MOMENT


def _video_id(content: bytes) -> str | None:
    """Return the video id in an unreadable sighting, or None if the id is unreadable too."""
    try:
        return str(json.loads(content)["video"]["video_id"])
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
