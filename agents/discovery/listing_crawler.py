"""Crawls a channel's listing: once completely, in slices; later only until no new videos appear.

The listing guarantees that no talk is missed. It is read once to its end (or to the first wanted day); later
visits read until a streak of videos that the last complete reading had shown. An interrupted reading does not
count as complete, so the next one closes its gap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time

from agents.discovery.connectors import Connectors, Find, ended
from agents.discovery.visit_result import COMPLETE, VisitResult, is_unwanted
from streams.errors import DataError
from streams.events import Lane
from streams.state.outbox import Outbox
from streams.state.sources import Backfill, Watched
from streams.store.operations import sightings
from streams.store.warehouse import Warehouse
from streams.youtube.client import YouTube

KNOWN_STREAK = 30
"""Number of known videos in a row after which a visit stops reading the listing."""
SLICE = 200
"""Number of new videos that one visit of a backfill reads."""


class ListingCrawler:
    """Reads listings. Keeps a listing open between slices, so that no page is fetched twice."""

    def __init__(
        self, lanes: Connectors, warehouse: Warehouse, outbox: Outbox, now: Callable[[], datetime]
    ) -> None:
        self._lanes = lanes
        self._warehouse = warehouse
        self._outbox = outbox
        self._now = now
        self._open: dict[str, tuple[datetime, Lane, Iterator[Find]]] = {}

    def walk(self, look: VisitResult, lane: Lane) -> None:
        """Read a channel's listing by a lane, as far as necessary, into `look`.

        Raises:
            DataError: the listing cannot be read; `look` has the entries read before the error.
            Unavailable: the reading was interrupted; likewise.
        """
        begun = self._backfill(look.watched)
        if begun is None:
            self._follow(look, lane)
        else:
            self._go_back(look, lane, begun)

    def _entries(self, look: VisitResult, lane: Lane) -> Iterator[Find]:
        if lane == "api":
            return self._lanes.uploads(look.source, look.channel_id)
        return self._lanes.listing(look.source, None)

    def _met(self, look: VisitResult, find: Find) -> None:
        look.finds.append(find)
        if find.video.channel_id:
            look.learned["channel_id"] = find.video.channel_id
        if find.video.channel:
            look.learned["title"] = find.video.channel

    def _follow(self, look: VisitResult, lane: Lane) -> None:
        """Read until a streak of videos that the last complete reading had shown, or that are unwanted."""
        streak, listed_at = 0, look.watched.visits.listed_at
        assert listed_at is not None
        for find in self._entries(look, lane):
            self._met(look, find)
            at = _listed(look, find.video.video_id)
            streak = streak + 1 if (at is not None and at <= listed_at) or is_unwanted(look, find) else 0
            if streak >= KNOWN_STREAK:
                break
        look.learned["listed_at"] = self._now()

    @staticmethod
    def _backfill(watched: Watched) -> Backfill | None:
        """Return the requested or unfinished backfill of a channel; None: there is none to do."""
        seen, asked_at = watched.visits, watched.backfill_at
        going = seen.backfill
        if asked_at is not None and (going is None or going.asked_at < asked_at):
            return Backfill(asked_at=asked_at, since=watched.source.since)
        if going is not None:
            return None if going.done_at else going
        if seen.listed_at is not None:
            return None
        return Backfill(asked_at=watched.source.added_at, since=watched.source.since)

    def _go_back(self, look: VisitResult, lane: Lane, going: Backfill) -> None:
        """Read the next slice of a backfill, and store its progress in `look`."""
        source_id, new = look.watched.source_id, []
        forgiven = sightings.too_old(self._warehouse, going.since)
        asked_at, of, entries = self._open.pop(source_id, (None, lane, iter(())))
        if asked_at != going.asked_at or of != lane:
            entries = self._entries(look, lane)
        try:
            for find in entries:
                self._met(look, find)
                video_id = find.video.video_id
                going = going.model_copy(update={"rank": find.rank or going.rank, "last_id": video_id})
                if video_id in forgiven:
                    look.again.add(video_id)
                if video_id in forgiven or not self._is_known(look, find):
                    new.append(video_id)
                if len(new) >= SLICE:
                    break
            else:
                going = going.model_copy(update={"done_at": self._now()})
            if going.done_at is None and going.since is not None and self._is_older(look, new, going):
                going = going.model_copy(update={"done_at": self._now()})
        finally:
            look.learned["backfill"] = going.model_copy(update={"found": going.found + len(new)})
        if going.done_at is None:
            self._open[source_id] = (going.asked_at, lane, entries)
            look.goes_on = True
        else:
            look.learned["listed_at"] = going.done_at

    def _is_known(self, look: VisitResult, find: Find) -> bool:
        """Return whether the listing has shown a video: it is in the store, or in the outbox."""
        if _listed(look, find.video.video_id) is not None:
            return True
        kept = self._outbox.kept(find.video.video_id)
        return (
            kept is not None
            and kept.sighting.source_id == look.watched.source_id
            and kept.sighting.lane in COMPLETE
        )

    def _is_older(self, look: VisitResult, video_ids: list[str], going: Backfill) -> bool:
        dates = {
            find.video.video_id: find.video.published_at for find in look.finds if find.video.published_at
        }
        assert going.since is not None
        return ended(
            video_ids,
            lambda video_id: dates.get(video_id) or _published(self._lanes.youtube, video_id),
            datetime.combine(going.since, time(), UTC),
        )


def _listed(look: VisitResult, video_id: str) -> datetime | None:
    """Return when the channel's listing first showed a video; None: never."""
    lanes = look.sighted.get(video_id, {})
    return min((at for lane, at in lanes.items() if lane in COMPLETE), default=None)


def _published(youtube: YouTube, video_id: str) -> datetime | None:
    """Return when a video was published, from YouTube; None if the date or the video is not available."""
    try:
        return youtube.metadata(video_id).published_at
    except DataError:
        return None
