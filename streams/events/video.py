"""Events of a video until it is fetched: seen, parked, accepted or rejected; and changes at its publisher.

Import them from `streams.events`.
"""

from __future__ import annotations

from datetime import UTC
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime

from streams import intake
from streams.events.base import Event, Fact
from streams.events.screening import Relevance
from streams.events.source import Sighting

Address = Annotated[str, AfterValidator(intake.address)]
"""A web address without user and password."""


class Blob(Fact):
    """A pointer to bytes in the blob store."""

    key: str
    sha256: str
    size: int


class Video(Fact):
    """Metadata of a talk. `published_at` decides its month; it is never guessed."""

    video_id: str
    title: str = ""
    description: str = ""
    channel: str = ""
    channel_id: str = ""
    show: str = ""
    url: Address = ""
    published_at: AwareDatetime | None = None
    duration_s: float | None = None
    language: str | None = None
    live_status: str | None = None
    speakers: tuple[str, ...] = ()
    media_url: Address = ""
    """Address of a podcast episode's audio; empty: yt-dlp finds the audio at `url`."""
    begins_at: AwareDatetime | None = None
    """Scheduled start of an upcoming premiere or live stream."""
    short_form: bool = False
    """The video is a YouTube Short."""


class VideoEvent(Event):
    """An event about one video."""

    video: Video

    @property
    def key(self) -> str:
        """The video."""
        return self.video.video_id


class VideoSeen(VideoEvent):
    """A video was found in a source or handed in as a file.

    `media` or `captions` point to the file's content; both are None for a video on the web.
    """

    sighting: Sighting
    media: Blob | None = None
    captions: Blob | None = None

    def _identity(self) -> tuple[object, ...]:
        lane = (self.sighting.lane,) if self.sighting.lane else ()
        return (self.key, self.sighting.source_id, self.media, self.captions, *lane)


class VideoAccepted(VideoEvent):
    """A video passed screening; its metadata is complete."""

    media: Blob | None = None
    captions: Blob | None = None
    relevance: Relevance | None = None


class VideoRejected(VideoEvent):
    """A video was rejected, by screening or by a later agent."""

    rule: Literal[
        "language", "too short", "too long", "live", "no date", "short form", "too old", "duplicate",
        "not relevant", "gone",
    ]  # fmt: skip
    reason: str
    relevance: Relevance | None = None
    epoch: int = 0
    """The epoch of the topic model whose talks it repeats; 0 also if no model was involved."""

    def _identity(self) -> tuple[object, ...]:
        return (self.key, self.rule, *((self.epoch,) if self.epoch else ()))


class VideoParked(VideoEvent):
    """A video waits for a time, for YouTube, or for people."""

    state: Literal["upcoming", "live", "just ended", "sign-in", "recheck", "paused", "in review"]
    reason: str
    until: AwareDatetime | None = None
    """Time of the next try; None: when somebody asks for it, or has reviewed it."""
    attempt: int = 1
    """Number of failed tries for a reason of the video's own; a pause does not count."""
    parked_at: AwareDatetime
    relevance: Relevance | None = None

    def _identity(self) -> tuple[object, ...]:
        return (self.key, self.state, self.attempt, self.parked_at.astimezone(UTC).isoformat())


class VideoFollowed(VideoEvent):
    """A known video changed at its publisher; `video` is its present metadata."""

    change: Literal["retitled", "deleted", "private", "returned"]
    was: str = ""
    """The former title, if it changed."""
    seen_at: AwareDatetime

    def _identity(self) -> tuple[object, ...]:
        return (self.key, self.change, self.video.title, self.seen_at.astimezone(UTC).isoformat())
