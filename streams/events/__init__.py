"""Events that travel through Kafka: immutable, named in the past tense, serialized as JSON.

Schema changes only add fields with a default; `tests/golden/events` checks that. Every event has a
`schema_version` and an `event_id` that depends only on its content, so an event that is sent twice keeps
its id. `streams.kafka.codec` defines the wire format.
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
    ConceptJudged,
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
from streams.events.validation import ParagraphCoded, SampledParagraph, ValidationSampleDrawn
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
    "ConceptJudged",
    "ConceptMembership",
    "ConceptsRejudged",
    "ConceptsTaught",
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
    "ParagraphCoded",
    "ParagraphsAssigned",
    "ParagraphsEmbedded",
    "Quote",
    "Relevance",
    "SampledParagraph",
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
    "ValidationSampleDrawn",
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
    """The source of a talk's transcript is in the blob store: its audio, or ready captions."""

    audio: Blob | None = None
    captions: Blob | None = None
    draft: bool = False
    """The captions are provisional, until the audio is transcribed."""

    def _identity(self) -> tuple[object, ...]:
        return (self.key, self.audio, self.captions, *(("draft",) if self.draft else ()))


class TranscriptReady(VideoEvent):
    """A transcript artefact is in the blob store."""

    transcript: Blob
    transcript_version: str
    """Model, library and settings that made it; part of every paragraph's id."""
    language: str
    duration_s: float
    words: int
    speakers: int
    kept_by: str | None = None
    """The person who wants it counted although it repeats another talk."""

    def _identity(self) -> tuple[object, ...]:
        return (self.key, self.transcript_version, *((self.kept_by,) if self.kept_by else ()))


class ParagraphsEmbedded(VideoEvent):
    """A talk's paragraphs and their embeddings are in the blob store."""

    paragraphs: Blob
    transcript_version: str
    embedding_model: str
    count: int
    kept_by: str | None = None
    """The person who wants it counted although it repeats another talk."""

    def _identity(self) -> tuple[object, ...]:
        kept = (self.kept_by,) if self.kept_by else ()
        return (self.key, self.transcript_version, self.embedding_model, *kept)


class ConsolidationRequested(Event):
    """A request that the topic model consolidate its topics, at this place in the order of the talks.

    `on`: the day that it counts as (UTC); two requests with the same timestamp are one.
    """

    on: date
    requested_at: AwareDatetime

    @property
    def key(self) -> str:
        """A constant, because requests belong to no talk."""
        return "consolidation"

    def _identity(self) -> tuple[object, ...]:
        return (self.on, self.requested_at.astimezone(UTC).isoformat())


class ConceptsTaught(Event):
    """A person asked to fit the concepts again to people's judgements; every learned talk is judged again.

    It is in the same log as the talks, so its order relative to them is fixed.
    """

    judgements: Blob
    """The judgements that count, as JSON: a list of {video_id, paragraph_id, concept, about, weight}."""
    requested_by: str
    requested_at: AwareDatetime

    @property
    def key(self) -> str:
        """The study's model."""
        return "model"

    def _identity(self) -> tuple[object, ...]:
        return (self.judgements.sha256, self.requested_at.astimezone(UTC).isoformat())


class ConceptMembership(Fact):
    """A concept that a paragraph is about: a topic of the codebook, and the calibrated probability."""

    topic_id: int
    probability: float


class AssignedParagraph(Fact):
    """The topics of one paragraph: at most one cluster, and up to three concepts."""

    paragraph_id: str
    topic_id: int | None
    """The cluster; None is normal. Models that know no concepts assign topics of the codebook here."""
    probability: float
    concepts: tuple[ConceptMembership, ...] = ()
    """The topics of the codebook that it is about, the most probable first."""
    boilerplate: bool = False
    """The paragraph repeats text that its source uses in many videos: it has no topic and was not learned."""


class RejudgedParagraph(Fact):
    """The concepts of a paragraph that was judged again; none: it is about no concept any more."""

    paragraph_id: str
    concepts: tuple[ConceptMembership, ...]


class ConceptsRejudged(VideoEvent):
    """The concepts of paragraphs of a learned talk are others since the concepts were taught."""

    model_version: str
    sequence: int
    """Number of steps of the model up to this one; the latest judgement of a paragraph counts."""
    judge: str
    paragraphs: tuple[RejudgedParagraph, ...]

    def _identity(self) -> tuple[object, ...]:
        return (self.key, self.model_version, self.sequence)


class ParagraphsAssigned(VideoEvent):
    """Every paragraph of a talk was assigned a topic or none."""

    video_index: int
    """Dense number of the video, from 0; used in bitmaps."""
    model_version: str
    transcript_version: str
    sequence: int
    """Number of steps of the model (videos learned, consolidations) up to this one; the latest counts."""
    epoch: int = 0
    """Number of the model's epoch."""
    judge: str = ""
    """Version of what judged the concepts; empty: the model knows no concepts."""
    assignments: tuple[AssignedParagraph, ...]

    def _identity(self) -> tuple[object, ...]:
        return (self.key, self.model_version, self.transcript_version)


class DeadLettered(Event):
    """A message could not be processed; the event keeps all of it."""

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
    """The message as base64; a long one is in `payload_blob` instead."""
    payload_blob: Blob | None = None
    failed_at: AwareDatetime

    @property
    def key(self) -> str:
        """The id of the dead letter."""
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
        """The id of the dead letter."""
        return self.letter_id

    def _identity(self) -> tuple[object, ...]:
        return (self.letter_id, self.action)


def paragraph_id(video_id: str, transcript_version: str, position: int) -> str:
    """Return the id of a paragraph, which differs between versions of a transcript."""
    return stable_id(video_id, transcript_version, position)


def month_of(published_at: datetime) -> date:
    """Return the first day of the month of publication (UTC).

    Example:
        >>> month_of(datetime.fromisoformat("2024-03-01T00:30:00+02:00"))
        datetime.date(2024, 2, 1)
    """
    return published_at.astimezone(UTC).date().replace(day=1)
