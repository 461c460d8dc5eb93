"""Events of the topic model: birth, change, merge and dormancy of topics, its health, and emergences; alerts.

The model's events all travel in one Kafka topic, in the order in which the model sent them. Import from
`streams.events`.
"""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import AwareDatetime

from streams.events.base import Event, Fact


class TopicEvent(Event):
    """An event about one topic of one model."""

    model_version: str
    topic_id: int
    sequence: int
    """Number of steps of the model (videos learned, consolidations) up to this one: orders the events."""
    label: str
    words: tuple[tuple[str, float], ...] = ()

    @property
    def key(self) -> str:
        """The topic."""
        return str(self.topic_id)

    def _identity(self) -> tuple[object, ...]:
        return (self.model_version, self.topic_id, self.sequence)


class Founder(Fact):
    """A paragraph of an earlier talk that founded a new topic, with its topic from now on."""

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
    parent: int | None = None
    """The topic that it was split from."""


class TopicChanged(TopicEvent):
    """A topic's words differ from the last ones that were sent."""


class Quote(Fact):
    """A paragraph as evidence: its text, talk and time."""

    paragraph_id: str
    video_id: str
    source: str
    published_on: date
    start: float
    """Seconds into the talk."""
    text: str


class Evidence(Fact):
    """Evidence that a subject is new or rises: videos that mention it now, compared with earlier ones."""

    terms: tuple[str, ...]
    channel: Literal["term", "birth", "both", "share", ""]
    """The detector that found it: new names, a new topic's paragraphs, or both; share: of talks with a known
    topic; empty: nothing was counted, words and quotes are the evidence."""
    sources: int
    """Number of different sources of its videos."""
    recent: int
    recent_of: int
    """Number of recent videos with the subject, and of all recent videos."""
    earlier: int
    earlier_of: int
    """The same numbers for the videos before them."""
    log10_p: float
    """Log10 of the probability of seeing `recent` or more if nothing had changed."""
    first_on: date
    latest_on: date
    quotes: tuple[Quote, ...] = ()
    """The first and the latest quotes, oldest first."""


class TopicDrifted(TopicEvent):
    """A topic changed: its share of videos, its words or its centre (detected with river); or it rose."""

    share_before: float
    share_after: float
    """Shares of videos, in [0, 1]; both 0 if the words or the centre drifted. meaning: the share that the
    topic needs, and the share of its latest paragraphs that have a word of it; in doubt while it is less."""
    drifted_at: AwareDatetime | None = None
    what: Literal["share", "words", "centre", "meaning", "rise"] = "share"
    """meaning: it is in doubt whether a topic of the codebook is what its definition says, or no longer.
    rise: its share has become much larger, in several sources."""
    moved: float = 0.0
    """Distance: words: Jensen-Shannon divergence (bits); centre: cosine distance; share: 0."""
    words_before: tuple[str, ...] = ()
    words_after: tuple[str, ...] = ()
    """Words that it lost and gained most, strongest first."""
    since: date | None = None
    """Publication day of the first video after the change."""
    videos_before: int = 0
    videos_after: int = 0
    """Numbers of videos compared."""
    quotes: tuple[Quote, ...] = ()
    """words and centre: one from before the change and one from after it, as far as there are any."""
    evidence: Evidence | None = None
    """Of a rise."""
    video_ids: tuple[str, ...] = ()
    """rise: the latest videos that mention it, oldest first."""

    def _identity(self) -> tuple[object, ...]:
        share = self.what == "share"  # keeps the ids from before other drifts existed
        return super()._identity() if share else (*super()._identity(), self.what)


class TopicMerged(TopicEvent):
    """A topic is an alias of `into` from now on; all its paragraphs count there, also earlier ones."""

    into: int
    day: date | None = None
    """Publication day of the talk, or day of the consolidation, that showed it (UTC)."""


class TopicDormant(TopicEvent):
    """A topic became dormant, as no talk mentions it, or active again under its id (`asleep` is false)."""

    asleep: bool
    day: date | None = None

    def _identity(self) -> tuple[object, ...]:
        return (*super()._identity(), self.asleep)


class TopicLabelled(TopicEvent):
    """A labeller's name for a topic; it is valid until the topic's words change and it is named again."""

    by: str
    """The labeller."""


class ModelEvent(Event):
    """An event about a topic model as a whole."""

    model_version: str
    sequence: int
    """Number of steps of the model (videos learned, consolidations) up to this one."""
    day: date | None = None
    """Publication day of the talk, or day of the consolidation, that showed it (UTC)."""

    @property
    def key(self) -> str:
        """The model."""
        return self.model_version

    def _identity(self) -> tuple[object, ...]:
        return (self.model_version, self.sequence)


class EpochBegun(ModelEvent):
    """A new model becomes the study's; those of earlier epochs stay unchanged.

    `sequence` is 0, because it has learned nothing yet.
    """

    epoch: int
    embedding_model: str = ""
    codebook: str = ""


class TopicsConsolidated(ModelEvent):
    """A consolidation of all topics; births, merges and dormancies report its results.

    A consolidation that would have broken stability is not `accepted`, and changed nothing.
    """

    accepted: bool
    reason: str
    survival: float
    """Share of sampled paragraphs that keep their topic, after following merges."""
    topics_before: int
    topics_after: int
    """Numbers of active topics; after a rejected consolidation, the proposed number."""


class HealthChanged(ModelEvent):
    """The model fits the talks better or worse than before (detected with river)."""

    what: Literal["outliers", "novelty"]
    """outliers: share of paragraphs without a topic; novelty: mean of 1 - highest cosine."""
    before: float
    after: float
    since: date | None = None

    def _identity(self) -> tuple[object, ...]:
        return (*super()._identity(), self.what)


class SubjectEmerged(ModelEvent):
    """A new subject emerged in talks; `topic_id`: the topic of most of its paragraphs, if any."""

    subject: str
    topic_id: int | None
    video_ids: tuple[str, ...]
    """The recent videos that mention it, oldest first."""
    reason: str
    evidence: Evidence
    emerged_at: AwareDatetime | None = None
    """Publication date of the talk that completed it."""
    only_on: str = ""
    """Name of the source that nearly alone mentions it; empty: several do, or the study has one in effect."""
    replaces: str = ""
    """The subject of one source's emergence that this one replaces, as others mention it now; empty: none."""

    def _identity(self) -> tuple[object, ...]:
        return (*super()._identity(), self.subject)


class AlertRaised(Event):
    """An alert about the study's content or about the system."""

    rule: Literal[
        "new topic",
        "emergence",
        "one source",
        "drift",
        "meaning",
        "rising",
        "declining",
        "threshold",
        "lag",
        "stuck",
        "dead letters",
        "silence",
        "source",
    ]
    """emergence: a new subject emerged in talks. (new topic: a topic was born; no longer raised.)
    one source: the same, but hardly any source but one discusses it so far; `about` is its name.
    meaning: it is in doubt whether a topic of the codebook is what its definition says.
    lag, stuck, dead letters, silence and source are about the system, the others about the talks' content."""
    model_version: str
    """Empty: no model raised it."""
    topic_id: int | None
    title: str
    reason: str
    raised_at: AwareDatetime | None = None
    """Publication of the talk that completed it, if the model raised it; otherwise the clock's time."""
    video_ids: tuple[str, ...] = ()
    evidence: Evidence | None = None
    sequence: int = 0
    """Number of the model's steps when it raised the alert; 0: no model raised it."""
    about: str = ""
    """The theme, source or bound that it concerns, if that is not a topic."""
    size: float = 0.0
    """Size of the change. drift: bits, cosine distance or change of share; rising, declining: change of
    share; threshold: share; lag, dead letters, source: count; silence: hours."""
    replaces: str = ""
    """Id of the alert of one source that this one replaces, as other sources follow; empty: none."""

    @property
    def key(self) -> str:
        """The topic's id, or the title if there is no topic."""
        return self.title if self.topic_id is None else str(self.topic_id)

    def _identity(self) -> tuple[object, ...]:
        if self.rule == "one source":  # what replaces it has to know its id
            return (self.rule, self.model_version, self.title)
        told = (self.rule, self.model_version, self.topic_id, self.raised_at)
        return told if self.rule == "new topic" else (*told, self.title)


class DeliveryRecorded(Event):
    """State of a message to people: delivered, failed, held or skipped; the latest event of an id counts."""

    delivery_id: str
    what: Literal["alert", "digest"]
    destination: str
    """The destination's name, never its address, which may contain a secret."""
    alert_ids: tuple[str, ...]
    title: str
    state: Literal["held", "failed", "delivered", "skipped"]
    attempts: int
    error: str = ""
    """Why it is held, failed or was skipped."""
    next_at: AwareDatetime | None = None
    """Time of the next try; None: never."""
    at: AwareDatetime
    until: AwareDatetime | None = None
    """End of the period that a digest covers."""

    @property
    def key(self) -> str:
        """The delivery."""
        return self.delivery_id

    def _identity(self) -> tuple[object, ...]:
        return (self.delivery_id, self.state, self.attempts, self.next_at)
