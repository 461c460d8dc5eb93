"""discover: sources → videos.seen. Visits sources when they are due, through all their lanes.

It also sends parked videos again when they are due, unfinished videos
(`agents.discovery.resume_unfinished`), and duplicates that a person keeps
(`agents.discovery.kept_duplicates`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

import structlog

from agents.consumer.consumer import Agent, Position
from agents.consumer.dead_letter import dead_letter
from agents.discovery.connectors import Connectors, Find, Folder, lanes_of
from agents.discovery.kept_duplicates import Keeping
from agents.discovery.polling_schedule import LONGEST, VisitOutcome, next_visit
from agents.discovery.resume_unfinished import ResumeUnfinished
from agents.discovery.source_visitor import SourceVisitor
from agents.discovery.video_refresh import VideoRefresh
from agents.discovery.visit_result import VisitResult, after, channel_of, refusal, wanted
from streams.errors import DataError
from streams.events import DeadLettered, Event, Sighting, SourceDue, Video, VideoFollowed, VideoSeen
from streams.kafka.codec import encode
from streams.kafka.topics import SOURCES_DUE, VIDEOS_SEEN, KafkaTopic
from streams.settings import Settings
from streams.state.blobs import Blobs
from streams.state.outbox import Outbox
from streams.state.parked_videos import ParkingLot
from streams.state.sources import Sources, Watched
from streams.store.operations import sightings
from streams.store.rows.operations import KnownVideo
from streams.store.warehouse import Warehouse
from streams.text_sanitizer import is_another_title
from streams.youtube.client import YouTube

log = structlog.get_logger()
SUBSCRIBING = timedelta(minutes=1)
LASTING = 5
"""Failed visits in a row (some hours) after which a dead letter reports the source."""


class Discover(Agent):
    """Finds videos. Each lane of a source reports a video once.

    Args:
        settings: the study's settings.
        blobs: the study's blob store.
        warehouse: the study's database, which holds the known videos.
        log_ids: the identity of each topic's log.
        youtube: the client that lists sources.
        now: the clock.
        lanes: the connectors; None: those of the settings, with `youtube`.
        pushed: whether a hub pushes a channel's uploads, by the channel's id.
        subscribe: updates the subscriptions at that hub; takes the watching source by channel id, and raises
            no errors. None: there is no hub.
        lost: returns the events that log or database have lost (`agents.recovery`), to be sent again.
    """

    name: ClassVar[str] = "discover"
    reads: ClassVar[tuple[KafkaTopic, ...]] = (SOURCES_DUE,)
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
        lanes: Connectors | None = None,
        pushed: Callable[[str], bool] = lambda _: False,
        subscribe: Callable[[Mapping[str, str]], Awaitable[object]] | None = None,
        lost: Callable[[], Sequence[Event]] = tuple,
    ) -> None:
        self._settings = settings
        self._blobs = blobs
        self._warehouse = warehouse
        self._now = now
        self._pushed = pushed
        self._subscribe = subscribe
        self._lost = lost
        self._subscribing: asyncio.Task[object] | None = None
        self._subscribed_at: datetime | None = None
        self._outbox = Outbox(blobs)
        self._lot = ParkingLot(blobs)
        self._sources = Sources(blobs)
        lanes = lanes or lanes_of(settings, youtube)
        self._visitor = SourceVisitor(lanes, blobs, warehouse, settings.search_results, now)
        self._following = VideoRefresh(blobs, warehouse, youtube, timedelta(days=settings.follow_days), now)
        self._keeping = Keeping(blobs, warehouse)
        self._sent: dict[str, tuple[int, datetime]] = {}
        self._retitled: set[tuple[str, str]] = set()
        self._again = ResumeUnfinished(
            blobs, warehouse, log_ids[VIDEOS_SEEN.name], settings.running_file, now
        )

    async def start(self) -> Sequence[Event]:
        """Return the sightings to send again, and in a rebuilt study the transcripts."""
        return await asyncio.to_thread(self._again.at_start)

    async def tick(self) -> Sequence[Event]:
        """Return due sources and parked videos, kept duplicates, changes of known videos, and lost events."""
        await asyncio.to_thread(self._again.mark_sent)
        watched = await asyncio.to_thread(lambda: list(self._sources.watched()))
        self._keep_subscribed(watched)
        return await asyncio.to_thread(
            lambda: [
                *self._again.late(),
                *self._due(watched),
                *self._lot.due(self._now()),
                *self._keeping.due(),
                *self._following.due(),
                *self._lost(),
            ]
        )

    async def stop(self) -> None:
        """Cancel the running request to the hub."""
        if self._subscribing is not None:
            self._subscribing.cancel()

    def _keep_subscribed(self, watched: Sequence[Watched]) -> None:
        """Update the subscriptions once a minute, in the background, so that a slow hub delays nothing."""
        now = self._now()
        waits = self._subscribed_at is not None and now - self._subscribed_at < SUBSCRIBING
        if self._subscribe is None or waits or (self._subscribing and not self._subscribing.done()):
            return
        self._subscribed_at = now
        channels = {channel_of(each): each.source_id for each in watched if not each.paused}
        channels.pop("", None)
        self._subscribing = asyncio.create_task(_run(self._subscribe(channels)))

    def _due(self, sources: Sequence[Watched]) -> Iterator[SourceDue]:
        """Yield due sources that were not sent yet, or were sent long ago and never visited."""
        now, poll_s = self._now(), self._settings.poll_interval_s
        forgotten = timedelta(seconds=poll_s * LONGEST)
        for watched in sources:
            slot = _slot(watched, poll_s)
            if watched.paused or slot > now:
                continue
            visit, sent_at = self._sent.get(watched.source_id, (-1, now))
            if visit == watched.visits.visits and now - sent_at < forgotten:
                continue
            self._sent[watched.source_id] = watched.visits.visits, now
            yield SourceDue(source=watched.source, slot=slot)

    async def handle(self, event: Event, at: Position) -> Sequence[Event]:
        """Return a sighting of each video that a lane of the source has not shown before.

        Errors of a source are stored with the source, and it is visited again with growing pauses.

        Raises:
            DataError: the source cannot be read, or has not answered for hours, and no lane found anything;
                raised once until the source works again.
        """
        if not isinstance(event, SourceDue):
            raise DataError(f"{type(event).__name__} is not for discover", "drop it")
        return await asyncio.to_thread(self._visit, event, at)

    def _visit(self, event: SourceDue, at: Position) -> list[Event]:
        watched = self._sources.get(event.key)
        if watched is None or watched.paused:
            log.info("skipped source", source=event.source.locator, removed=watched is None)
            return []
        look = self._visitor.look(watched)
        found = self._found(look)
        failure, before = look.failure, watched.visits.failure
        told = bool(watched.visits.failures and before and before.lettered)
        lasts = isinstance(failure, DataError) or watched.visits.failures + 1 >= LASTING
        tell = failure is not None and lasts and not told and not found
        self._remember(look, found, lettered=told or tell)
        log.info(
            "visited source",
            source=watched.source.locator,
            new=len(found),
            troubles={lane: error.cause for lane, error in look.troubles.items()},
            paused_until=str(look.paused_until or ""),
        )
        if tell:
            assert failure is not None
            raise DataError(failure.cause, failure.cure) from failure
        if look.folder is not None and look.folder.newly:
            found.append(self._letter(refusal(look.folder.newly), event, at))
        return found

    def _letter(self, error: DataError, event: SourceDue, at: Position) -> DeadLettered:
        """Return a dead letter for the refused files of a folder; its other files are ingested."""
        return dead_letter(
            self._blobs,
            self.name,
            at,
            payload=encode(event),
            error=error,
            now=self._now(),
            message_key=event.key.encode(),
        )

    def _remember(self, look: VisitResult, found: list[Event], *, lettered: bool) -> None:
        """Store the outcome of the visit and the time of the next one, unless the source was removed."""
        source_id, now = look.watched.source_id, self._now()
        if look.folder is not None:
            Folder(self._blobs, look.source).remember(look.folder)
        seen = after(look, now, lettered)
        shown = look.sighted.keys() | {each.key for each in found if isinstance(each, VideoSeen)}
        works = bool(look.worked)
        outcome = VisitOutcome(
            failures=seen.failures if look.failure is not None else 0,
            partly=works,
            paused_until=None if works else look.paused_until,
            goes_on=look.goes_on,
            soon=look.folder is not None and look.folder.growing > 0,
        )
        following = next_visit(
            source_id,
            look.source.kind,
            seen.visits,
            now,
            outcome,
            published=seen.published,
            pushed=bool(look.channel_id) and self._pushed(look.channel_id),
            poll_s=self._settings.poll_interval_s,
        )
        if self._sources.get(source_id) is not None:
            update = {"next_visit": following, "found": max(seen.found, len(shown))}
            self._sources.remember(source_id, seen.model_copy(update=update))

    def _found(self, look: VisitResult) -> list[Event]:
        """Return the events to send; their sightings are in the outbox when this returns."""
        finds = list(wanted(look))
        of_folder = look.folder.seen if look.folder is not None else []
        stored = sightings.known(self._warehouse, {find.video.video_id for find in finds}) if finds else {}
        together: dict[str, list[Video]] = {}
        for find in finds:
            together.setdefault(find.video.video_id, []).append(find.video)
        sent: set[tuple[str, str]] = set()
        events: list[Event] = [*of_folder]
        for find in finds:
            video_id = find.video.video_id
            if (video_id, find.lane) not in sent:
                sent.add((video_id, find.lane))
                events += self._events(look, find, together[video_id], stored.get(video_id))
        return events

    def _events(
        self, look: VisitResult, find: Find, others: list[Video], stored: KnownVideo | None
    ) -> Iterator[Event]:
        """Yield the sighting if the lane has not shown the video before, and the new title if it changed."""
        video_id = find.video.video_id
        if stored is not None and self._is_retitled(find.video, stored):
            title = find.video.title
            self._retitled.add((video_id, title))
            now_called = _stored(stored).model_copy(update={"title": title})
            yield VideoFollowed(video=now_called, change="retitled", was=stored["title"], seen_at=self._now())
        lanes = look.sighted.get(video_id, {})
        told = find.lane in lanes or ("" in lanes and find.lane in ("listing", "search"))
        if told and video_id not in look.again:
            return
        kept = self._outbox.kept(video_id)
        known = [*others, *([kept.video] if kept else []), *([_stored(stored)] if stored else [])]
        source = look.source
        assert source.kind != "folder"
        seen = VideoSeen(
            video=_completed(find.video, known),
            sighting=Sighting(
                source_id=source.source_id,
                kind=source.kind,
                lane=find.lane,
                query=source.locator if source.kind == "search" else "",
                rank=find.rank,
                seen_at=self._now(),
            ),
        )
        self._outbox.keep(seen)
        yield seen

    def _is_retitled(self, video: Video, stored: KnownVideo) -> bool:
        """Return whether an accepted talk has a title that it never had before.

        Earlier titles do not count, because lanes may differ in language and would change it back and forth.
        The title of a talk that a person handed in does not change.
        """
        is_new = is_another_title(video.title, (stored["title"], *stored["titles"]))
        told = (video.video_id, video.title) in self._retitled
        return is_new and not told and bool(stored["accepted"]) and not stored["handed_in"]


async def _run(work: Awaitable[object]) -> object:
    return await work


def _slot(watched: Watched, poll_s: float) -> datetime:
    """Return when a source is due; every process computes the same time."""
    seen, asked_at = watched.visits, watched.backfill_at
    if seen.last_visit is None:
        return watched.source.added_at
    if asked_at is not None and asked_at > seen.last_visit:
        return asked_at
    return seen.next_visit or seen.last_visit + timedelta(seconds=poll_s)


def _completed(video: Video, others: Sequence[Video]) -> Video:
    """Return a video whose missing fields are filled from `others`: a known date stays known."""
    of_the_moment = {"live_status", "begins_at"}
    for other in others:
        update: dict[str, Any] = {
            name: getattr(other, name)
            for name in Video.model_fields
            if name not in of_the_moment and not getattr(video, name)
        }
        video = video.model_copy(update=update)
    return video


def _stored(row: KnownVideo) -> Video:
    return Video.model_validate(row)
