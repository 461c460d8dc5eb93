"""The events that travel through Kafka: frozen, named in the past tense, JSON.

Fields are only ever added, with a default; `tests/golden/events` keeps that true. Every event has
a `schema_version` and an `event_id` that depends only on what the event says, so that the same
event sent twice is the same event. How they look as bytes: `streams.kafka.codec`.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Literal

from pydantic import AwareDatetime

from streams.events.base import SCHEMA_VERSION, Event, Fact, stable_id
from streams.events.curation import (
    AlertJudged,
    CodebookDecided,
    CodebookEntry,
    ThemeEntry,
    TopicJudged,
    VideoCorrected,
)
from streams.events.screening import Relevance, TalkKind, VideoReviewed
from streams.events.source import Lane, Sighting, Source, SourceDue, SourceKind
from streams.events.topic import (
    AlertRaised,
    DeliveryRecorded,
    EpochBegun,
    Evidence,
    Founder,
    HealthChanged,
    ModelEvent,
    Quote,
    SubjectEmerged,
    TopicBorn,
    TopicChanged,
    TopicDormant,
    TopicDrifted,
    TopicEvent,
    TopicLabelled,
    TopicMerged,
    TopicsConsolidated,
)
from streams.events.video import (
    Blob,
    Video,
    VideoAccepted,
    VideoEvent,
    VideoFollowed,
    VideoParked,
    VideoRejected,
    VideoSeen,
)

__all__ = [
    "SCHEMA_VERSION",
    "AlertJudged",
    "AlertRaised",
    "AssignedParagraph",
    "AudioStored",
    "Blob",
    "CodebookDecided",
    "CodebookEntry",
    "ConsolidationRequested",
    "DeadLetterSettled",
    "DeadLettered",
    "DeliveryRecorded",
    "EpochBegun",
    "Event",
    "Evidence",
    "Fact",
    "Founder",
    "HealthChanged",
    "Lane",
    "ModelEvent",
    "ParagraphsAssigned",
    "ParagraphsEmbedded",
    "Quote",
    "Relevance",
    "Sighting",
    "Source",
    "SourceDue",
    "SourceKind",
    "SubjectEmerged",
    "TalkKind",
    "ThemeEntry",
    "TopicBorn",
    "TopicChanged",
    "TopicDormant",
    "TopicDrifted",
    "TopicEvent",
    "TopicJudged",
    "TopicLabelled",
    "TopicMerged",
    "TopicsConsolidated",
    "TranscriptReady",
    "Video",
    "VideoAccepted",
    "VideoCorrected",
    "VideoEvent",
    "VideoFollowed",
    "VideoParked",
    "VideoRejected",
    "VideoReviewed",
    "VideoSeen",
    "month_of",
    "paragraph_id",
    "stable_id",
]


class AudioStored(VideoEvent):
    """What the words of a talk come from lies in the blob store: its audio, or ready captions."""

    audio: Blob | None = None
    captions: Blob | None = None
    draft: bool = False
    """The captions only stand in until the audio is transcribed."""

    def _identity(self) -> tuple[object, ...]:
        return (self.key, self.audio, self.captions, *(("draft",) if self.draft else ()))


class TranscriptReady(VideoEvent):
    """A transcript artefact lies in the blob store."""

    transcript: Blob
    transcript_version: str
    """Model, library and settings that made it; part of every paragraph's id."""
    language: str
    duration_s: float
    words: int
    speakers: int
    kept_by: str | None = None
    """Who wants it counted although it says again what another talk said."""

    def _identity(self) -> tuple[object, ...]:
        return (self.key, self.transcript_version, *((self.kept_by,) if self.kept_by else ()))


class ParagraphsEmbedded(VideoEvent):
    """A talk's paragraphs and their embeddings lie in the blob store."""

    paragraphs: Blob
    transcript_version: str
    embedding_model: str
    count: int
    kept_by: str | None = None
    """Who wants it counted although it says again what another talk said."""

    def _identity(self) -> tuple[object, ...]:
        kept = (self.kept_by,) if self.kept_by else ()
        return (self.key, self.transcript_version, self.embedding_model, *kept)


class ConsolidationRequested(Event):
    """The topic model is to look at its topics as a whole, at this place in the order of the talks.

    `on`: the day it counts as (UTC); two requests of one moment are one.
    """

    on: date
    requested_at: AwareDatetime

    @property
    def key(self) -> str:
        """Requests are no talk's."""
        return "consolidation"

    def _identity(self) -> tuple[object, ...]:
        return (self.on, self.requested_at.astimezone(UTC).isoformat())


class AssignedParagraph(Fact):
    """One paragraph's topic, or None: unassigned is normal."""

    paragraph_id: str
    topic_id: int | None
    probability: float
    boilerplate: bool = False
    """It repeats what its source says in many videos: no topic, and the model has not learned it."""


class ParagraphsAssigned(VideoEvent):
    """Every paragraph of a talk has its topic or none."""

    video_index: int
    """Dense number of the video, from 0; what bitmaps are made of."""
    model_version: str
    transcript_version: str
    sequence: int
    """Steps of the model, this one included (a video learned, a consolidation); the later one holds."""
    epoch: int = 0
    """Number of the model's epoch."""
    assignments: tuple[AssignedParagraph, ...]

    def _identity(self) -> tuple[object, ...]:
        return (self.key, self.model_version, self.transcript_version)


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
