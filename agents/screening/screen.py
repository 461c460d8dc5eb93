"""screen: videos.seen → videos.accepted, videos.rejected, or videos.parked if the video has to wait.

Rules come first; each rejection has a reason. A video that waits for a time, for YouTube or for reviewers is
in the parking lot before its event is sent; when it is due, discover sends its sighting again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import ClassVar, Protocol

import structlog

from agents.consumer.consumer import Agent, Position
from agents.consumer.retry import with_retries
from agents.screening.availability_policy import EarlierChecks, GiveUp, RetryAt, after, before_its_recording
from models.languages.identification import identify
from streams.errors import DataError, Unavailable
from streams.events import Event, Video, VideoAccepted, VideoParked, VideoRejected, VideoReviewed, VideoSeen
from streams.kafka.topics import VIDEOS_REVIEWED, VIDEOS_SEEN, KafkaTopic
from streams.settings import Settings
from streams.state.parked_videos import ParkingLot
from streams.youtube.client import YouTube

log = structlog.get_logger()


class AdmissionPolicy(Protocol):
    """The check after the rules: duplicates, relevance, and the verdict of reviewers."""

    async def judge(self, video: Video, event: VideoSeen) -> Event:
        """Return VideoAccepted, VideoRejected, or VideoParked in review; idempotent."""

    async def reviewed(self, event: VideoReviewed) -> Sequence[Event]:
        """Return the events that follow from a review, often none; idempotent for the reviewed video.

        Other videos that it parks again are in the parking lot when it returns.
        """

    async def overdue(self) -> Sequence[Event]:
        """Return the decisions made while this agent did not run, to be sent before anything is read."""


class Screen(Agent):
    """Completes a video's metadata and applies the rules, then the admission policy if there is one."""

    name: ClassVar[str] = "screen"
    reads: ClassVar[tuple[KafkaTopic, ...]] = (VIDEOS_SEEN, VIDEOS_REVIEWED)

    def __init__(
        self,
        settings: Settings,
        youtube: YouTube,
        lot: ParkingLot,
        now: Callable[[], datetime],
        gate: AdmissionPolicy | None = None,
        *,
        since: Callable[[str], date | None] = lambda _: None,
        passed: Callable[[str], VideoAccepted | None] = lambda _: None,
    ) -> None:
        """Keep the dependencies.

        Args:
            settings: bounds and languages.
            youtube: the client that returns a video's metadata.
            lot: the store of parked videos.
            now: the clock.
            gate: the admission policy after the rules; None: a video that passes the rules is accepted.
            since: returns the first wanted day of a source's talks, by its id; None: all are wanted.
            passed: returns the earlier acceptance of a video, by its id; None: there is none.
        """
        self._settings = settings
        self._youtube = youtube
        self._lot = lot
        self._now = now
        self._gate = gate
        self._since = since
        self._passed = passed

    async def start(self) -> Sequence[Event]:
        """Return the reviewers' decisions made while this agent did not run."""
        return await self._gate.overdue() if self._gate is not None else ()

    async def handle(self, event: Event, at: Position) -> Sequence[Event]:
        """Return the verdict on a video, or the parked video."""
        match event:
            case VideoSeen():
                return await self._seen(event)
            case VideoReviewed():
                return await self._reviewed(event)
        raise DataError(f"{type(event).__name__} is not for screen", "drop it")

    async def _seen(self, event: VideoSeen) -> Sequence[Event]:
        handed_in = event.media is not None or event.captions is not None
        parking = None if handed_in else await asyncio.to_thread(self._lot.get, event.key)
        before = EarlierChecks(event.key)
        if parking is not None and not parking.anew(event):
            if parking.given_up:
                return [_gone(parking.parked)]
            if isinstance(parking.again, VideoAccepted):
                return []  # it is accepted already, and fetch checks it again
            if not parking.looked_at_now(event, self._now()):
                return [parking.parked]
            before = EarlierChecks(event.key, parking.counts, parking.parked.attempt, parking.pauses)
        if not handed_in and event.sighting.kind != "link":
            # An acceptance stays valid, whatever another source's first day or YouTube's answer now is.
            passed = await asyncio.to_thread(self._passed, event.key)
            if passed is not None:
                return [await asyncio.to_thread(self._kept, passed, event)]
        outcome = await self._judged(event, before)
        return [await asyncio.to_thread(self._kept, outcome, event)]

    async def _judged(self, event: VideoSeen, before: EarlierChecks) -> Event:
        video = event.video
        waits: RetryAt | GiveUp | None = None
        if event.media is None and event.captions is None and not video.media_url:
            try:
                found = await with_retries(lambda: self._youtube.metadata(video.video_id))
            except (DataError, Unavailable) as error:
                decision = after(error, before, self._now())
                if isinstance(decision, GiveUp) and decision.rule is None:
                    await asyncio.to_thread(self._lot.leave, event.key)
                    raise
                return await self._waits(video, event, decision)
            video = _complete(video, found)
            waits = before_its_recording(video, before, self._now())
        language, _ = await asyncio.to_thread(identify, f"{video.title}. {video.description}")
        video = video.model_copy(update={"language": video.language or language})
        since = await asyncio.to_thread(self._since, event.sighting.source_id)
        for rule in RULES if waits is None else RULES_OF_ANY_TIME:
            if (rejected := rule(video, self._settings, since)) is not None:
                return rejected
        if waits is not None:
            return await self._waits(video, event, waits)
        if self._gate is not None:
            return await self._gate.judge(video, event)
        return VideoAccepted(video=video, media=event.media, captions=event.captions)

    async def _waits(self, video: Video, event: VideoSeen, decision: RetryAt | GiveUp) -> Event:
        """Return the parked video, or the rejection if it is given up."""
        until = decision.until if isinstance(decision, RetryAt) else None
        parked = VideoParked(
            video=video,
            state=decision.state if isinstance(decision, RetryAt) else "recheck",
            reason=decision.reason,
            until=until,
            attempt=decision.attempt,
            parked_at=self._now(),
        )
        log.info("waits", video=event.key, state=parked.state, until=str(until), reason=parked.reason)
        if isinstance(decision, RetryAt):
            return parked
        if decision.attempt:  # stays in the lot, so that the checks do not start again
            await asyncio.to_thread(self._lot.park, parked, event)
        else:
            await asyncio.to_thread(self._lot.leave, event.key)
        return _gone(parked)

    def _kept(self, outcome: Event, event: VideoSeen | VideoAccepted) -> Event:
        """Return the outcome after updating the parking lot: a waiting video enters, any other one leaves.

        A video that is given up (`gone`) stays as it is.
        """
        if isinstance(outcome, VideoParked):
            return self._lot.park(outcome, event)
        if not (isinstance(outcome, VideoRejected) and outcome.rule == "gone"):
            self._lot.leave(outcome.key)
        return outcome

    async def _reviewed(self, event: VideoReviewed) -> Sequence[Event]:
        if self._gate is None:
            return []
        outcomes = await self._gate.reviewed(event)
        for outcome in outcomes:
            # The policy repeats its outcome for the reviewed video, but perhaps not for others: those that
            # it accepts stay in the lot until fetch has them, so that the event can be sent again.
            if isinstance(outcome, VideoRejected) or outcome.key == event.key:
                await asyncio.to_thread(self._kept_as_reviewed, outcome)
        return outcomes

    def _kept_as_reviewed(self, outcome: Event) -> None:
        parking = self._lot.get(outcome.key)
        if parking is not None:
            self._kept(outcome, parking.again)


def _gone(parked: VideoParked) -> VideoRejected:
    return VideoRejected(video=parked.video, rule="gone", reason=parked.reason)


def _complete(seen: Video, found: Video) -> Video:
    """Return `found`, with missing fields from the listing: a known date is never replaced by an unknown one.

    The live status and the start change over time: for them only `found` counts.
    """
    lasting = Video.model_fields.keys() - {"begins_at", "live_status"}
    missing = {name: getattr(seen, name) for name in lasting if not getattr(found, name)}
    return found.model_copy(update=missing)


Rule = Callable[[Video, Settings, date | None], VideoRejected | None]
"""Returns the rejection of a video, or None. The date is the first wanted day of its source's talks."""


def _full_length(video: Video, settings: Settings, since: date | None) -> VideoRejected | None:
    if not video.short_form:
        return None
    return VideoRejected(video=video, rule="short form", reason="it is one of YouTube's Shorts, not a talk")


def _dated(video: Video, settings: Settings, since: date | None) -> VideoRejected | None:
    if video.published_at is not None:
        return None
    return VideoRejected(
        video=video, rule="no date", reason="its publication date is unknown, so it belongs to no month"
    )


def _new_enough(video: Video, settings: Settings, since: date | None) -> VideoRejected | None:
    if since is None or video.published_at is None or video.published_at.astimezone(UTC).date() >= since:
        return None
    day = video.published_at.astimezone(UTC).date()
    reason = f"it was published on {day}, but its source is watched for talks since {since}"
    return VideoRejected(video=video, rule="too old", reason=reason)


def _long_enough(video: Video, settings: Settings, since: date | None) -> VideoRejected | None:
    if video.duration_s is None or video.duration_s >= settings.min_duration_s:
        return None
    reason = f"it lasts {video.duration_s:.0f} s, less than {settings.min_duration_s:.0f} s"
    return VideoRejected(video=video, rule="too short", reason=reason)


def _short_enough(video: Video, settings: Settings, since: date | None) -> VideoRejected | None:
    if video.duration_s is None or video.duration_s <= settings.max_duration_s:
        return None
    reason = f"it lasts {video.duration_s:.0f} s, more than {settings.max_duration_s:.0f} s"
    return VideoRejected(video=video, rule="too long", reason=reason)


def _in_language(video: Video, settings: Settings, since: date | None) -> VideoRejected | None:
    if video.language is None or video.language.split("-")[0].lower() in settings.languages:
        return None
    wanted = ", ".join(settings.languages)
    reason = f"title and description are in {video.language!r}, not in {wanted}"
    return VideoRejected(video=video, rule="language", reason=reason)


RULES: tuple[Rule, ...] = (
    _full_length,
    _dated,
    _new_enough,
    _long_enough,
    _short_enough,
    _in_language,
)
RULES_OF_ANY_TIME: tuple[Rule, ...] = (_full_length, _new_enough, _in_language)
"""The rules that need no complete recording; they also apply to a video that would have to wait."""
