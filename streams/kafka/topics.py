"""Kafka topics: their names, the events that they carry, and the agents that write them.

The map in docs/reference/events-topics-tables.md is generated from `TOPICS`.
"""

from __future__ import annotations

from dataclasses import dataclass

from streams import events as e
from streams.settings import Settings

FOREVER_MS = -1
WEEK_MS = 7 * 86_400_000


@dataclass(frozen=True, slots=True)
class KafkaTopic:
    """One Kafka topic. `single` topics have one partition, because the model depends on their order.

    `written_by` names agents; it is empty for topics that only people write. `retention_ms`: how long the
    broker keeps a message (milliseconds).
    """

    name: str
    carries: tuple[type[e.Event], ...]
    written_by: str
    single: bool = False
    retention_ms: int = FOREVER_MS

    def full_name(self, study: str) -> str:
        """Return the name on the broker, prefixed by the study."""
        return f"{study}.{self.name}"

    def partitions(self, settings: Settings) -> int:
        """Return the number of partitions under these settings."""
        return 1 if self.single else settings.front_partitions


# A visit that nobody made is due again, so this topic alone is only a queue; facts of the others are stored
# nowhere else until every reader has them.
SOURCES_DUE = KafkaTopic("sources.due", (e.SourceDue,), "discover", retention_ms=WEEK_MS)
VIDEOS_SEEN = KafkaTopic("videos.seen", (e.VideoSeen,), "discover")
VIDEOS_ACCEPTED = KafkaTopic("videos.accepted", (e.VideoAccepted,), "screen")
VIDEOS_REJECTED = KafkaTopic("videos.rejected", (e.VideoRejected,), "screen, fetch, transcribe, track")
VIDEOS_PARKED = KafkaTopic("videos.parked", (e.VideoParked, e.VideoFollowed), "discover, screen, fetch")
VIDEOS_REVIEWED = KafkaTopic("videos.reviewed", (e.VideoReviewed,), "")
AUDIO_STORED = KafkaTopic("audio.stored", (e.AudioStored,), "fetch, caption")
TRANSCRIPTS_READY = KafkaTopic("transcripts.ready", (e.TranscriptReady,), "transcribe")
PARAGRAPHS_EMBEDDED = KafkaTopic(
    "paragraphs.embedded",
    (e.ParagraphsEmbedded, e.ConsolidationRequested, e.ConceptsTaught),
    "split",
    single=True,
)
PARAGRAPHS_ASSIGNED = KafkaTopic(
    "paragraphs.assigned", (e.ParagraphsAssigned, e.ConceptsRejudged), "track", single=True
)
TOPICS_CHANGED = KafkaTopic(
    "topics.changed",
    (
        e.EpochBegun,
        e.TopicBorn,
        e.TopicChanged,
        e.TopicDrifted,
        e.TopicMerged,
        e.TopicDormant,
        e.TopicsConsolidated,
        e.HealthChanged,
        e.SubjectEmerged,
    ),
    "track",
    single=True,
)
TOPICS_LABELLED = KafkaTopic("topics.labelled", (e.TopicLabelled,), "label", single=True)
CURATION = KafkaTopic(
    "curation",
    (
        e.CodebookDecided,
        e.TopicJudged,
        e.ConceptJudged,
        e.ValidationSampleDrawn,
        e.ParagraphCoded,
        e.VideoCorrected,
        e.AlertJudged,
    ),
    "",
    single=True,
)
ALERTS = KafkaTopic("alerts", (e.AlertRaised, e.DeliveryRecorded), "alert", single=True)
DEAD_LETTERS = KafkaTopic("dead.letters", (e.DeadLettered, e.DeadLetterSettled), "any agent", single=True)

TOPICS = (
    SOURCES_DUE,
    VIDEOS_SEEN,
    VIDEOS_ACCEPTED,
    VIDEOS_REJECTED,
    VIDEOS_PARKED,
    VIDEOS_REVIEWED,
    AUDIO_STORED,
    TRANSCRIPTS_READY,
    PARAGRAPHS_EMBEDDED,
    PARAGRAPHS_ASSIGNED,
    TOPICS_CHANGED,
    TOPICS_LABELLED,
    CURATION,
    ALERTS,
    DEAD_LETTERS,
)
BY_NAME = {topic.name: topic for topic in TOPICS}
TOPIC_OF = {kind: topic for topic in TOPICS for kind in topic.carries}
"""The topic of each class of events."""
