"""Events of the topic model: topics that come, change, merge and sleep, its health, and news.

They all travel in one Kafka topic, in the order in which the model said them; see `streams.events`.
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
    """Steps of the model (videos learned, consolidations), this one included: orders what happened."""
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
    parent: int | None = None
    """The topic it was split from."""


class TopicChanged(TopicEvent):
    """A topic's words are different from what was last said."""


class TopicDrifted(TopicEvent):
    """Something about a topic changed: its share of videos, its words or its centre (river)."""

    share_before: float
    share_after: float
    """Shares of videos, in [0, 1]; both 0 where something else drifted."""
    drifted_at: AwareDatetime | None = None
    what: Literal["share", "words", "centre"] = "share"
    moved: float = 0.0
    """How far: words: Jensen-Shannon divergence (bits); centre: cosine distance; share: 0."""
    words_before: tuple[str, ...] = ()
    words_after: tuple[str, ...] = ()
    """Words that it lost and gained most, strongest first."""
    since: date | None = None
    """Publication day of the first video after the change."""
    videos_before: int = 0
    videos_after: int = 0
    """How many videos each side rests on."""

    def _identity(self) -> tuple[object, ...]:
        share = self.what == "share"  # as it was named before anything else could drift
        return super()._identity() if share else (*super()._identity(), self.what)


class TopicMerged(TopicEvent):
    """A topic is an alias of `into` from now on; its paragraphs count there, the earlier ones too."""

    into: int
    day: date | None = None
    """Publication day of the talk, or day of the consolidation, that showed it (UTC)."""


class TopicDormant(TopicEvent):
    """A topic fell asleep because nobody spoke of it, or woke up under its own id (`asleep` is false)."""

    asleep: bool
    day: date | None = None

    def _identity(self) -> tuple[object, ...]:
        return (*super()._identity(), self.asleep)


class TopicLabelled(TopicEvent):
    """A labeller gave a topic a name; it holds until its words become others and it is named again."""

    by: str
    """The labeller."""


class ModelEvent(Event):
    """An event about a topic model as a whole."""

    model_version: str
    sequence: int
    """Steps of the model (videos learned, consolidations), this one included."""
    day: date | None = None
    """Publication day of the talk, or day of the consolidation, that showed it (UTC)."""

    @property
    def key(self) -> str:
        """The model."""
        return self.model_version

    def _identity(self) -> tuple[object, ...]:
        return (self.model_version, self.sequence)


class EpochBegun(ModelEvent):
    """From now on this model is the study's; those of earlier epochs stay as they are.

    `sequence` is 0: it has learned nothing yet.
    """

    epoch: int
    embedding_model: str = ""
    codebook: str = ""


class TopicsConsolidated(ModelEvent):
    """The topics were looked at as a whole; what came of it is said by births, merges and dormancies.

    A consolidation that would have broken stability is not `accepted`, and has changed nothing.
    """

    accepted: bool
    reason: str
    survival: float
    """Share of sampled paragraphs that keep their topic, merges followed."""
    topics_before: int
    topics_after: int
    """Active topics; after: what was proposed, where it was rejected."""


class HealthChanged(ModelEvent):
    """The model fits the talks better or worse than before (river)."""

    what: Literal["outliers", "novelty"]
    """outliers: share of paragraphs without a topic; novelty: mean of 1 - highest cosine."""
    before: float
    after: float
    since: date | None = None

    def _identity(self) -> tuple[object, ...]:
        return (*super()._identity(), self.what)


class Quote(Fact):
    """A paragraph as evidence: what was said, where and when."""

    paragraph_id: str
    video_id: str
    source: str
    published_on: date
    start: float
    """Seconds into the talk."""
    text: str


class Evidence(Fact):
    """Why a subject is news: who speaks of it now, and who did before."""

    terms: tuple[str, ...]
    channel: Literal["term", "birth", "both"]
    """What saw it: new names, a new topic's paragraphs, or both."""
    sources: int
    """How many different sources its videos come from."""
    recent: int
    recent_of: int
    """Videos with the subject among the recent videos."""
    earlier: int
    earlier_of: int
    """The same before them."""
    log10_p: float
    """Of seeing `recent` or more if nothing had changed, as a power of ten."""
    first_on: date
    latest_on: date
    quotes: tuple[Quote, ...] = ()
    """The first and the latest, oldest first."""


class SubjectEmerged(ModelEvent):
    """Talks have begun to speak of a subject; `topic_id`: the topic most of its paragraphs have, if any."""

    subject: str
    topic_id: int | None
    video_ids: tuple[str, ...]
    """The recent videos that speak of it, oldest first."""
    reason: str
    evidence: Evidence
    emerged_at: AwareDatetime | None = None
    """Publication date of the talk that completed it."""

    def _identity(self) -> tuple[object, ...]:
        return (*super()._identity(), self.subject)


class AlertRaised(Event):
    """Something worth being told."""

    rule: Literal[
        "new topic",
        "emergence",
        "drift",
        "rising",
        "declining",
        "threshold",
        "lag",
        "dead letters",
        "silence",
        "source",
    ]
    """emergence: talks have begun to speak of a subject. (new topic: a topic was born; no longer told.)
    lag, dead letters, silence and source are about the system, the others about what is talked of."""
    model_version: str
    """Empty where no model said it."""
    topic_id: int | None
    title: str
    reason: str
    raised_at: AwareDatetime | None = None
    """What the model said: publication of the talk that completed it. Others: by the clock."""
    video_ids: tuple[str, ...] = ()
    evidence: Evidence | None = None
    sequence: int = 0
    """Steps of the model when it said so; 0 where no model said it."""
    about: str = ""
    """The theme, source or bound it is about, where that is no topic."""
    size: float = 0.0
    """How much happened. drift: bits, cosine distance or change of share; rising, declining: change of share;
    threshold: share; lag, dead letters, source: how many; silence: hours."""

    @property
    def key(self) -> str:
        """The topic, or what it is about where there is none."""
        return self.title if self.topic_id is None else str(self.topic_id)

    def _identity(self) -> tuple[object, ...]:
        told = (self.rule, self.model_version, self.topic_id, self.raised_at)
        return told if self.rule == "new topic" else (*told, self.title)


class DeliveryRecorded(Event):
    """A message to people was delivered, failed, is held back or was left out; the latest of one id holds."""

    delivery_id: str
    what: Literal["alert", "digest"]
    destination: str
    """Its name, never its address: that may hold a secret."""
    alert_ids: tuple[str, ...]
    title: str
    state: Literal["held", "failed", "delivered", "skipped"]
    attempts: int
    error: str = ""
    """Why it is held, failed or was left out."""
    next_at: AwareDatetime | None = None
    """When it is tried next; None: never again."""
    at: AwareDatetime
    until: AwareDatetime | None = None
    """The moment up to which a digest tells."""

    @property
    def key(self) -> str:
        """The delivery."""
        return self.delivery_id

    def _identity(self) -> tuple[object, ...]:
        return (self.delivery_id, self.state, self.attempts, self.next_at)
