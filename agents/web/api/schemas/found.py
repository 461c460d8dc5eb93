"""Schemas of reading and searching: paragraphs, neighbours, speakers, search results, alert cards."""

from __future__ import annotations

from datetime import date, datetime
from typing import NotRequired

from typing_extensions import TypedDict

from agents.web.api.schemas.counted import NamedTopic
from agents.web.api.schemas.told import Heard


class Paragraph(TypedDict):
    """A paragraph of a talk with its topic."""

    position: int
    paragraph_id: str
    start_s: float
    end_s: float
    speakers: list[str]
    text: str
    topic_id: int | None
    name: str | None
    theme: str | None
    retained: bool
    probability: float | None
    boilerplate: bool


class Neighbour(NamedTopic):
    """A topic that co-occurs with another."""

    theme: str
    videos: int
    topic_videos: int
    other_videos: int
    of_videos: int
    jaccard: float
    lift: float


class Speaking(TypedDict):
    """A person or show whose talks discuss a topic."""

    what: str
    name: str
    videos: int
    of_videos: int
    share: float
    of_names: int


class Choice(TypedDict):
    """A value of a filter."""

    filter: str
    value: str
    videos: int


class FoundTopic(NamedTopic):
    """A topic found by a search; `through`: the merged topic whose words matched."""

    theme: str
    words: list[str]
    videos: int
    of_videos: int
    share: float
    through: str


class FoundTalk(TypedDict):
    """A talk found by a search."""

    video_id: str
    title: str
    show: str
    channel: str
    speakers: list[str]
    published_on: date


class FoundQuote(Heard):
    """A paragraph found by a search."""

    paragraph_id: str
    start_s: float
    end_s: float
    speakers: list[str]
    text: str
    topic_id: int | None
    name: str | None


class Found(TypedDict):
    """Results of a search: the first of each kind, and the total number of each kind."""

    tokens: list[str]
    topics: list[FoundTopic]
    topics_found: int
    talks: list[FoundTalk]
    talks_found: int
    quotes: list[FoundQuote]
    quotes_found: int
    quotes_talks: int


class CardQuote(Heard):
    """A quote on an alert card: from its evidence, or of its topic."""

    paragraph_id: str
    start_s: float
    text: str
    source: NotRequired[str]
    published_on: NotRequired[date]
    transcript_version: NotRequired[str]
    position: NotRequired[int]


class Card(TypedDict):
    """An alert about a topic or subject, with people's verdict on it."""

    alert_id: str
    rule: str
    topic_id: int | None
    told_id: int | None
    topic: str | None
    told: str | None
    retained: bool
    about: str
    title: str
    reason: str
    raised_at: datetime | None
    size: float
    video_ids: list[str]
    terms: list[str]
    channel: str
    sources: int
    recent: int
    recent_of: int
    earlier: int
    earlier_of: int
    log10_p: float
    first_on: date | None
    latest_on: date | None
    quotes: list[CardQuote]
    talks: list[Heard]
    published: dict[str, date]
    verdict: str
    author: str
    note: str
    judged_at: datetime | None
    found: int
