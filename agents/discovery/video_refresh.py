"""Follows talks where they are published: each is looked at again from time to time.

A talk that was taken down stays in the study, as what was said remains said; people see that its link is
dead, and may withdraw it. When it is looked at depends on its id and the calendar alone, so nothing has to be
kept of each: all that is kept is until when everybody's turn was taken.
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
"""Between two rounds."""
MOST = 5
"""Talks in a round: it holds up the agent for some seconds, and YouTube's patience is for new talks first."""


class VideoRefresh:
    """Looks at talks again, each once in `cycle`.

    Args:
        blobs: of the study; keeps until when turns were taken.
        warehouse: of the study: which talks there are, and what is known of them.
        youtube: is asked.
        cycle: how long until a talk is looked at again; zero: never.
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
        """Take the turns that have come, a few at a time, and return what has changed. Blocks."""
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
        except Unavailable as error:  # the whole round comes again
            log.info("known talks are looked at later", cause=error.cause)
            return []
        self._blobs.put(KEY, until.isoformat().encode())
        return found

    def _until(self, now: datetime) -> datetime:
        """Return until when turns were taken: at first and after a long rest, nobody has waited for long."""
        if not self._blobs.exists(KEY):
            self._blobs.put(KEY, now.isoformat().encode())
            return now
        return max(datetime.fromisoformat(self._blobs.get(KEY).decode()), now - self._cycle)

    def _turn_after(self, video_id: str, moment: datetime) -> datetime:
        """Return a talk's first turn after a moment: in whole seconds, so that no turn is taken twice."""
        cycle_s = int(self._cycle.total_seconds())
        own_s = int.from_bytes(hashlib.sha256(video_id.encode()).digest()[:8], "big") % cycle_s
        after_s = int(moment.timestamp())
        return datetime.fromtimestamp(after_s + cycle_s - (after_s - own_s) % cycle_s, moment.tzinfo)

    def _look(self, row: FollowedVideo) -> Iterator[VideoFollowed]:
        """Yield what has changed about a talk since it was looked at last."""
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
            log.info("a known talk cannot be looked at", video=known.video_id, cause=error.cause)
        else:
            if gone:
                yield VideoFollowed(video=known, change="returned", seen_at=self._now())
            if not row["handed_in"] and is_another_title(shown.title, (known.title, *row["titles"])):
                now_called = known.model_copy(update={"title": shown.title})
                yield VideoFollowed(video=now_called, change="retitled", was=known.title, seen_at=self._now())
