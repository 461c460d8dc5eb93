"""Rows of prevalence: themes and topics, by period and by month, and pairs of topics."""

from __future__ import annotations

from datetime import date, datetime

from typing_extensions import TypedDict


class Counted(TypedDict):
    """Videos with a theme or topic, over the videos with any topic of the same period."""

    videos: int
    of_videos: int
    share: float
    """videos / of_videos."""


class Extent(TypedDict):
    """Paragraphs of a theme or topic, and their length."""

    paragraphs: int
    minutes: float


class UnitCount(Counted, Extent):
    """Counts of one theme or topic in a period."""

    topics: int
    """Topics of the unit that have a video in the period."""


class ThemeInMonth(TypedDict):
    """A theme and a month of publication."""

    month: str
    """'YYYY-MM'."""
    theme: str
    unfinished: bool
    """The month is not over yet (UTC)."""


class CountedThemeMonth(Counted, Extent, ThemeInMonth):
    """Counts of a theme in a month."""


class TopicInMonth(TypedDict):
    """A topic and a month of publication."""

    month: str
    """'YYYY-MM'."""
    topic_id: int


class CountedTopicMonth(Counted, Extent, TopicInMonth):
    """Counts of a topic in a month."""


class ThemeTopics(TypedDict):
    """A theme, and how many topics it has."""

    theme: str
    topics: int
    """Topics of the theme that have a video in the period."""


class CountedTheme(Counted, Extent, ThemeTopics):
    """Counts of a theme in a period."""


class RetainedTopic(TypedDict):
    """A topic that counts under its own number."""

    topic_id: int
    name: str
    theme: str
    origin: str
    """seeded or born."""
    emerged_at: datetime | None
    parent_id: int
    """The topic that it was split off, or 0."""
    asleep: bool
    doubted_since: date | None
    """Since when it is in doubt whether a topic of the codebook is what it says; None: it is not in doubt."""
    words: list[str]
    """Strongest first."""


class CountedTopic(Counted, Extent, RetainedTopic):
    """Counts of a topic in a period; a topic without a video in it has videos = 0."""


class MonthTotal(TypedDict):
    """Videos with any topic that counts, in a month of publication."""

    month: str
    """'YYYY-MM'."""
    of_videos: int


class TopicMonthCount(TypedDict):
    """Counts of one topic in a month of publication; `videos` may be 0."""

    month: str
    """'YYYY-MM'."""
    of_videos: int
    videos: int
    paragraphs: int
    minutes: float


class Pair(TypedDict):
    """Two topics, and how often they occur in the same video; topic_id < other_id."""

    topic_id: int
    name: str
    other_id: int
    other: str
    videos: int
    """Videos with both topics."""
    topic_videos: int
    other_videos: int
    of_videos: int
    jaccard: float
    """Of the videos with either topic, the share with both."""
    lift: float
    """Videos with both topics, over what independence would give; 1: no association."""


class TopicVideo(TypedDict):
    """A talk about a topic, or about two topics."""

    video_id: str
    title: str
    show: str
    channel: str
    url: str
    published_on: date
    paragraphs: int
    """Of both topics together, where two were asked for; `minutes` likewise."""
    minutes: float
