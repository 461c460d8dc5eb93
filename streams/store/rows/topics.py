"""Rows of single topics: what is known of them, their history, neighbours and speakers."""

from __future__ import annotations

from datetime import date, datetime

from typing_extensions import TypedDict


class NamedTopic(TypedDict):
    """A topic by its number and name."""

    topic_id: int
    name: str


class TopicFacts(TypedDict):
    """Facts of a topic, whatever the codebook says of it."""

    topic_id: int
    key: str
    """Its name in the codebook that it was seeded from; empty for one that was born."""
    origin: str
    """seeded or born."""
    emerged_at: datetime | None
    parent_id: int
    """The topic that it was split off, or 0."""
    words_at_birth: list[str]
    words: list[str]
    """Strongest first."""
    asleep: bool
    doubted_since: date | None
    """Since when it is in doubt whether a topic of the codebook is what it says; None: it is not in doubt."""


class KnownTopic(TypedDict):
    """A topic with its codebook entry, its origin and the topics that were merged into it."""

    topic_id: int
    name: str
    theme: str
    retained: bool
    reason: str
    """Why it is not retained."""
    origin: str
    """seeded or born."""
    emerged_at: datetime | None
    parent_id: int
    """The topic that it was split off, or 0."""
    parent: str
    asleep: bool
    doubted_since: date | None
    """Since when it is in doubt whether a topic of the codebook is what it says; None: it is not in doubt."""
    words: list[str]
    """Strongest first."""
    words_at_birth: list[str]
    asked_id: int
    """The topic that was asked for, which may be merged into this one."""
    merged: list[NamedTopic]


class MonthVideos(TypedDict):
    """Videos of a month."""

    month: str
    """'YYYY-MM'."""
    videos: int


class Change(TypedDict):
    """An event in the genealogy of topics."""

    sequence: int
    day: date | None
    what: str
    """born, split (off `other`), merged (into `other`), asleep or awake; or, of the topics as a whole
    (topic_id = 0), consolidated or rejected."""
    topic_id: int
    topic: str
    other_id: int
    other: str
    reason: str
    """Of a consolidation, as are the following fields."""
    survival: float
    topics_before: int
    topics_after: int


class Drift(TypedDict):
    """A topic whose share, words or centre changed, or that rose."""

    topic_id: int
    topic: str
    what: str
    """share, words, centre, meaning or rise."""
    share_before: float
    share_after: float
    """meaning: share of the topic's latest paragraphs that have a word of it."""
    moved: float
    """words: Jensen-Shannon divergence in bits; centre: cosine distance."""
    words_before: list[str]
    words_after: list[str]
    since: date | None
    videos_before: int
    videos_after: int
    drifted_at: datetime | None


class Health(TypedDict):
    """A change in how well the model fits the talks."""

    what: str
    """outliers (share of paragraphs without a topic) or novelty (mean of 1 - highest cosine)."""
    before: float
    after: float
    since: date | None
    day: date | None


class Neighbour(NamedTopic):
    """A topic that occurs in the same videos as the one that was asked for."""

    theme: str
    videos: int
    """Videos with both topics."""
    topic_videos: int
    """Videos with the topic that was asked for."""
    other_videos: int
    """Videos with this topic."""
    of_videos: int
    jaccard: float
    """Of the videos with either topic, the share with both."""
    lift: float
    """Videos with both topics, over what independence would give; 1: no association."""


class Speaking(TypedDict):
    """A show or person whose talks are about a topic."""

    what: str
    """show or speaker."""
    name: str
    videos: int
    """Videos of the show or person that have the topic."""
    of_videos: int
    """Videos of the show or person with any topic that counts."""
    share: float
    """videos / of_videos."""
    of_names: int
    """Shows, or people, with videos > 0."""


class TopicPlaces(TypedDict):
    """Where a topic is in its talks; short talks are left out."""

    topic_id: int
    name: str
    paragraphs: int
    at_ends: int
    """Paragraphs at the ends of talks."""
    talks: int
    of_talks: int
    """Talks of its sources, published since the first that has it."""
    sources: int
