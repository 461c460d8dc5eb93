"""The events that travel through Kafka: frozen, named in the past tense, JSON.

Fields are only ever added, with a default; `tests/golden/events` keeps that true. Every event has
a `schema_version` and an `event_id` that depends only on what the event says, so that the same
event sent twice is the same event. How they look as bytes: `streams.wire`.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

SCHEMA_VERSION = 1


def stable_id(*parts: object) -> str:
    """Return 32 hex digits that depend only on `parts`."""
    return hashlib.sha256("\x1f".join(str(part) for part in parts).encode()).hexdigest()[:32]


class Fact(BaseModel):
    """A frozen value inside an event; unknown fields of later minor versions are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


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
    url: str = ""
    published_at: AwareDatetime | None = None
    duration_s: float | None = None
    language: str | None = None
    live_status: str | None = None
    speakers: tuple[str, ...] = ()


class Source(Fact):
    """Something that is watched for new talks."""

    source_id: str
    kind: Literal["channel", "playlist", "search"]
    locator: str
    """URL, handle or id of a channel or playlist; the query of a search."""
    added_at: AwareDatetime


class Sighting(Fact):
    """Where and when a video was seen."""

    source_id: str
    kind: Literal["channel", "playlist", "search", "file", "link"]
    query: str = ""
    rank: int | None = None
    seen_at: AwareDatetime


class Event(Fact):
    """Base of all events."""

    schema_version: int = SCHEMA_VERSION

    @property
    def key(self) -> str:
        """Kafka key: events with the same key stay in order."""
        raise TypeError(f"{type(self).__name__} has no key")

    def _identity(self) -> tuple[object, ...]:
        return (self.key,)

    @property
    def event_id(self) -> str:
        """Deterministic id of what this event says."""
        return stable_id(type(self).__name__, *self._identity())


class SourceDue(Event):
    """A source is to be looked at."""

    source: Source
    slot: AwareDatetime

    @property
    def key(self) -> str:
        """The source."""
        return self.source.source_id

    def _identity(self) -> tuple[object, ...]:
        return (self.key, self.slot.isoformat())


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
        return (self.key, self.sighting.source_id, self.media, self.captions)


class VideoAccepted(VideoEvent):
    """A video passed screening; its metadata is complete."""

    media: Blob | None = None
    captions: Blob | None = None


class VideoRejected(VideoEvent):
    """A video did not pass screening."""

    rule: Literal["language", "too short", "too long", "live", "no date"]
    reason: str

    def _identity(self) -> tuple[object, ...]:
        return (self.key, self.rule)


class AudioStored(VideoEvent):
    """What the words of a talk come from lies in the blob store: its audio, or ready captions."""

    audio: Blob | None = None
    captions: Blob | None = None

    def _identity(self) -> tuple[object, ...]:
        return (self.key, self.audio, self.captions)


class TranscriptReady(VideoEvent):
    """A transcript artefact lies in the blob store."""

    transcript: Blob
    transcript_version: str
    """Model, library and settings that made it; part of every paragraph's id."""
    language: str
    duration_s: float
    words: int
    speakers: int

    def _identity(self) -> tuple[object, ...]:
        return (self.key, self.transcript_version)


class ParagraphsEmbedded(VideoEvent):
    """A talk's paragraphs and their embeddings lie in the blob store."""

    paragraphs: Blob
    transcript_version: str
    embedding_model: str
    count: int

    def _identity(self) -> tuple[object, ...]:
        return (self.key, self.transcript_version, self.embedding_model)


class AssignedParagraph(Fact):
    """One paragraph's topic, or None: unassigned is normal."""

    paragraph_id: str
    topic_id: int | None
    probability: float


class ParagraphsAssigned(VideoEvent):
    """Every paragraph of a talk has its topic or none."""

    video_index: int
    """Dense number of the video, from 0; what bitmaps are made of."""
    model_version: str
    transcript_version: str
    sequence: int
    """Videos the model had learned, this one included; a later assignment of a paragraph holds."""
    assignments: tuple[AssignedParagraph, ...]

    def _identity(self) -> tuple[object, ...]:
        return (self.key, self.model_version, self.transcript_version)


class TopicEvent(Event):
    """An event about one topic of one model."""

    model_version: str
    topic_id: int
    sequence: int
    """Number of videos the model had learned: orders the changes of one topic."""
    label: str
    words: tuple[tuple[str, float], ...] = ()

    @property
    def key(self) -> str:
        """The topic."""
        return str(self.topic_id)

    def _identity(self) -> tuple[object, ...]:
        return (self.model_version, self.topic_id, self.sequence)


class Founder(Fact):
    """A paragraph of an earlier talk that a new topic was born of, with the topic it has from now on."""

    paragraph_id: str
    video_id: str
    video_index: int
    month: date
    topic_id: int | None
    probability: float


class TopicBorn(TopicEvent):
    """A topic exists from now on: seeded from a codebook, or emerged from talks."""

    origin: Literal["seeded", "born"]
    theme: str | None = None
    codebook_key: str | None = None
    video_ids: tuple[str, ...] = ()
    founders: tuple[Founder, ...] = ()
    emerged_at: AwareDatetime | None = None
    """Publication date of the talk that completed it."""


class TopicChanged(TopicEvent):
    """A topic's words are different from what was last said."""


class TopicDrifted(TopicEvent):
    """A topic's share of videos changed (river ADWIN)."""

    share_before: float
    share_after: float
    drifted_at: AwareDatetime | None = None


class AlertRaised(Event):
    """Something worth being told."""

    rule: Literal["new topic"]
    model_version: str
    topic_id: int
    title: str
    reason: str
    raised_at: AwareDatetime | None = None
    video_ids: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The topic."""
        return str(self.topic_id)

    def _identity(self) -> tuple[object, ...]:
        return (self.rule, self.model_version, self.topic_id, self.raised_at)


class DeadLettered(Event):
    """A message could not be processed; nothing of it is lost."""

    agent: str
    cause: str
    cure: str
    log_id: str
    topic: str
    """Without the study's prefix."""
    partition: int
    offset: int
    video_id: str | None = None
    message_key: str | None = None
    payload: str | None = None
    """The message, base64; or `payload_blob` when it is long."""
    payload_blob: Blob | None = None
    failed_at: AwareDatetime

    @property
    def key(self) -> str:
        """The dead letter itself."""
        return self.event_id

    def _identity(self) -> tuple[object, ...]:
        return (self.agent, self.log_id, self.topic, self.partition, self.offset)


class DeadLetterSettled(Event):
    """A person replayed or dropped a dead letter."""

    letter_id: str
    action: Literal["replayed", "dropped"]
    settled_at: AwareDatetime

    @property
    def key(self) -> str:
        """The dead letter."""
        return self.letter_id

    def _identity(self) -> tuple[object, ...]:
        return (self.letter_id, self.action)


def paragraph_id(video_id: str, transcript_version: str, position: int) -> str:
    """Return the id of a paragraph: another transcript's paragraphs are others."""
    return stable_id(video_id, transcript_version, position)


def month_of(published_at: datetime) -> date:
    """Return the first day of the month of publication (UTC).

    Example:
        >>> month_of(datetime.fromisoformat("2024-03-01T00:30:00+02:00"))
        datetime.date(2024, 2, 1)
    """
    return published_at.astimezone(UTC).date().replace(day=1)
