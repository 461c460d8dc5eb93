"""A talk until its words are fetched: seen, waiting, accepted or rejected, and what becomes of it elsewhere.

Part of `streams.events`, which is where to import them from.
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
"""Where something is on the web, without anybody's password."""


class Blob(Fact):
    """A pointer to bytes in the blob store."""

    key: str
    sha256: str
    size: int


class Video(Fact):
    """What is known about a talk. `published_at` decides its month; it is never guessed."""

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
    """Where its audio lies, for an episode of a podcast; empty: at `url`, for yt-dlp to find."""
    begins_at: AwareDatetime | None = None
    """When an upcoming premiere or live stream is to begin."""
    short_form: bool = False
    """It is one of YouTube's Shorts."""


class VideoEvent(Event):
    """An event about one video."""

    video: Video

    @property
    def key(self) -> str:
        """The video."""
        return self.video.video_id


class VideoSeen(VideoEvent):
    """A video was found by a source or handed in as a file.

    `media` or `captions` point to bytes that came with it; both are None for a video on the web.
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
    """A video did not pass screening; or its words were heard, and say that it does not count."""

    rule: Literal[
        "language", "too short", "too long", "live", "no date", "short form", "too old", "duplicate",
        "not relevant", "gone",
    ]  # fmt: skip
    reason: str
    relevance: Relevance | None = None
    epoch: int = 0
    """The epoch of the topic model whose talks it repeats; 0 also where no model was asked."""

    def _identity(self) -> tuple[object, ...]:
        return (self.key, self.rule, *((self.epoch,) if self.epoch else ()))


class VideoParked(VideoEvent):
    """A video waits: for a moment, for YouTube, or for people. Waiting is neither seen nor done."""

    state: Literal["upcoming", "live", "just ended", "sign-in", "recheck", "paused", "in review"]
    reason: str
    until: AwareDatetime | None = None
    """When it is looked at again; None: when somebody asks for it, or has reviewed it."""
    attempt: int = 1
    """How often it was looked at in vain for a reason of its own; a pause is none."""
    parked_at: AwareDatetime
    relevance: Relevance | None = None

    def _identity(self) -> tuple[object, ...]:
        return (self.key, self.state, self.attempt, self.parked_at.astimezone(UTC).isoformat())


class VideoFollowed(VideoEvent):
    """Something about a known video changed where it is shown; `video` is what is said of it now."""

    change: Literal["retitled", "deleted", "private", "returned"]
    was: str = ""
    """The former title, where that changed."""
    seen_at: AwareDatetime

    def _identity(self) -> tuple[object, ...]:
        return (self.key, self.change, self.video.title, self.seen_at.astimezone(UTC).isoformat())
