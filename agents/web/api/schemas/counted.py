"""Schemas of counts: shares, topics, pairs, the corpus and provenance."""

from __future__ import annotations

from datetime import date, datetime

from typing_extensions import TypedDict


class Problem(TypedDict):
    """Error: its cause and what to do about it."""

    error: str
    cure: str


class Trend(TypedDict):
    """A period compared with the preceding one of equal length; the change is a difference of shares."""

    first: str
    last: str
    videos: int
    of_videos: int
    before_first: str
    before_last: str
    before_videos: int
    before_of_videos: int
    change: float
    change_low: float
    change_high: float


class Share(TypedDict):
    """Share of videos: videos of a theme or topic, divided by the period's videos with any topic."""

    videos: int
    of_videos: int
    share: float
    low: float
    high: float
    paragraphs: int
    minutes: float


class ThemeMonth(Share):
    """Share of a theme in a month; `unfinished`: the month is not over."""

    month: str
    theme: str
    unfinished: bool


class TopicMonth(Share):
    """Share of a topic in a month."""

    month: str
    topic_id: int


class Theme(Share):
    """Share and trend of a theme in a period."""

    theme: str
    topics: int
    status: str | None
    trend: Trend | None


class Topic(Share):
    """Share and trend of a topic in a period."""

    topic_id: int
    name: str
    theme: str
    origin: str
    emerged_at: datetime | None
    parent_id: int
    asleep: bool
    words: list[str]
    status: str | None
    trend: Trend | None


class NamedTopic(TypedDict):
    """A topic by its number and name."""

    topic_id: int
    name: str


class MonthVideos(TypedDict):
    """Number of videos in a month."""

    month: str
    videos: int


class Change(TypedDict):
    """Event in the life of a topic: birth, split, merge, sleep or consolidation."""

    sequence: int
    day: date | None
    what: str
    topic_id: int
    topic: str
    other_id: int
    other: str
    reason: str
    survival: float
    topics_before: int
    topics_after: int


class Drift(TypedDict):
    """Drift of a topic's share, words or centre."""

    topic_id: int
    topic: str
    what: str
    share_before: float
    share_after: float
    moved: float
    words_before: list[str]
    words_after: list[str]
    since: date | None
    videos_before: int
    videos_after: int
    drifted_at: datetime | None


class Quote(TypedDict):
    """A paragraph with its talk and position."""

    paragraph_id: str
    video_id: str
    title: str
    show: str
    url: str
    published_at: datetime
    start_s: float
    end_s: float
    speakers: list[str]
    text: str
    probability: float


class WholeTopic(TypedDict):
    """Everything about a topic; the figures of a topic that is not retained are null."""

    topic_id: int
    name: str
    theme: str
    retained: bool
    reason: str
    origin: str
    emerged_at: datetime | None
    parent_id: int
    parent: str
    asleep: bool
    words: list[str]
    words_at_birth: list[str]
    asked_id: int
    merged: list[NamedTopic]
    videos: int | None
    of_videos: int | None
    share: float | None
    low: float | None
    high: float | None
    paragraphs: int | None
    minutes: float | None
    status: str | None
    trend: Trend | None
    months: list[MonthVideos]
    drifts: list[Drift]
    genealogy: list[Change]
    quotes: list[Quote]
    newest: list[Quote]


class Pair(TypedDict):
    """Co-occurrence of two topics."""

    topic_id: int
    name: str
    other_id: int
    other: str
    videos: int
    topic_videos: int
    other_videos: int
    of_videos: int
    jaccard: float
    lift: float


class TopicVideo(TypedDict):
    """A talk that discusses a topic."""

    video_id: str
    title: str
    show: str
    channel: str
    url: str
    published_on: date
    paragraphs: int
    minutes: float


class Corpus(TypedDict):
    """Counts of the videos that were found, by outcome."""

    found: int
    kept: int
    withdrawn: int
    waiting: int
    rejections: dict[str, int]
    paragraphs: int
    hours: float
    mean_minutes: float | None
    first: date | None
    last: date | None


class Excluded(NamedTopic):
    """A topic that is excluded from all counts."""

    reason: str


class Merged(NamedTopic):
    """A topic that counts as another one."""

    into_id: int
    into: str
    by: str


class Provenance(TypedDict):
    """Models, transcripts and codebook decisions behind the numbers."""

    model_version: str
    epoch: int | None
    embedding_model: str
    codebook: str
    transcripts: dict[str, int]
    revision: int
    decided_at: datetime | None
    excluded: list[Excluded]
    merged: list[Merged]
