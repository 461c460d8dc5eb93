"""Refreshes the metadata of known talks: each is looked up at YouTube again once per cycle.

A talk that was taken down stays in the study; people see that its link is dead, and may withdraw it. The time
of each look-up depends only on the talk's id and the clock, so that there is no state per talk: a single
timestamp records how far the look-ups have come.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Literal

import structlog

from streams.errors import DataError, Unavailable
from streams.events import Video, VideoFollowed
from streams.state.blobs import Blobs
from streams.store.operations import sightings
from streams.store.rows.operations import FollowedVideo
from streams.store.warehouse import Warehouse
from streams.text_sanitizer import is_another_title
from streams.youtube.client import YouTube
from streams.youtube.errors import YouTubeRefused

log = structlog.get_logger()
KEY = "followed-until"
EVERY = timedelta(minutes=10)
"""The pause between two rounds."""
MOST = 5
"""Talks in a round: it blocks the agent for some seconds, and new talks have priority at YouTube."""


class VideoRefresh:
    """Looks up known talks again, each once per `cycle`.

    Args:
        blobs: the study's blob store; holds the timestamp of the last turn taken.
        warehouse: the study's database, which holds the known talks.
        youtube: the client for the look-ups.
        cycle: the time between two look-ups of a talk; zero: never.
        now: the clock.
    """

    def __init__(
        self,
        blobs: Blobs,
        warehouse: Warehouse,
        youtube: YouTube,
        cycle: timedelta,
        now: Callable[[], datetime],
    ) -> None:
        self._blobs = blobs
        self._warehouse = warehouse
        self._youtube = youtube
        self._cycle = cycle
        self._now = now
        self._rested_at: datetime | None = None

    def due(self) -> list[VideoFollowed]:
        """Look up the talks whose turn has come, a few at a time, and return the changes. Blocks."""
        now = self._now()
        if not self._cycle or (self._rested_at is not None and now - self._rested_at < EVERY):
            return []
        self._rested_at = now
        since = self._until(now)
        turns = sorted(
            (turn, row["video_id"], row)
            for row in sightings.followable(self._warehouse)
            if (turn := self._turn_after(row["video_id"], since)) <= now
        )
        found: list[VideoFollowed] = []
        until = now if len(turns) <= MOST else turns[MOST - 1][0]
        try:
            for _, _, row in turns[:MOST]:
                found += self._look(row)
        except Unavailable as error:  # the whole round is repeated later
            log.info("postponed the refresh of known talks", cause=error.cause)
            return []
        self._blobs.put(KEY, until.isoformat().encode())
        return found

    def _until(self, now: datetime) -> datetime:
        """Return the time up to which turns were taken: now at first, and at most one cycle ago."""
        if not self._blobs.exists(KEY):
            self._blobs.put(KEY, now.isoformat().encode())
            return now
        return max(datetime.fromisoformat(self._blobs.get(KEY).decode()), now - self._cycle)

    def _turn_after(self, video_id: str, moment: datetime) -> datetime:
        """Return a talk's first turn after a given time, in whole seconds, so that no turn is taken twice."""
        cycle_s = int(self._cycle.total_seconds())
        own_s = int.from_bytes(hashlib.sha256(video_id.encode()).digest()[:8], "big") % cycle_s
        after_s = int(moment.timestamp())
        return datetime.fromtimestamp(after_s + cycle_s - (after_s - own_s) % cycle_s, moment.tzinfo)

    def _look(self, row: FollowedVideo) -> Iterator[VideoFollowed]:
        """Yield the changes of a talk since its last look-up."""
        known = Video.model_validate(
            {name: value for name, value in row.items() if name in Video.model_fields}
        )
        gone = row["change"] if row["change"] in ("deleted", "private") else ""
        try:
            shown = self._youtube.metadata(known.video_id)
        except YouTubeRefused as error:
            change: Literal["private", "deleted"] = "private" if error.verdict.is_private else "deleted"
            if error.verdict.kind == "permanent" and change != gone:
                yield VideoFollowed(video=known, change=change, seen_at=self._now())
        except DataError as error:
            log.info("cannot look up a known talk", video=known.video_id, cause=error.cause)
        else:
            if gone:
                yield VideoFollowed(video=known, change="returned", seen_at=self._now())
            if not row["handed_in"] and is_another_title(shown.title, (known.title, *row["titles"])):
                now_called = known.model_copy(update={"title": shown.title})
                yield VideoFollowed(video=now_called, change="retitled", was=known.title, seen_at=self._now())
