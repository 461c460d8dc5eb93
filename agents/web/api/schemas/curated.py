"""Schemas of curated data: the codebook, judgements, talks and their corrections."""

from __future__ import annotations

from datetime import date, datetime

from typing_extensions import TypedDict

from agents.web.api.schemas.counted import NamedTopic


class CodebookTopic(TypedDict):
    """A topic as the codebook has it."""

    topic_id: int
    name: str
    own: str
    theme: str
    retained: bool
    target: int | None
    reason: str
    revision: int
    key: str
    origin: str
    alias: int | None
    words: list[str]


class CodebookTheme(TypedDict):
    """A theme as the codebook has it."""

    theme: str
    description: str


class Codebook(TypedDict):
    """A revision of the codebook."""

    revision: int
    model_version: str
    topics: list[CodebookTopic]
    themes: list[CodebookTheme]


class Revision(TypedDict):
    """The newest revision of the codebook."""

    revision: int
    decisions: int
    model_version: str


class Decision(TypedDict):
    """What somebody decided about the codebook."""

    revision: int
    model_version: str
    action: str
    said: str
    topic_ids: list[int]
    theme_names: list[str]
    undoes: int | None
    author: str
    note: str
    decided_at: datetime


class Judgement(TypedDict):
    """What a reviewer thinks of a topic."""

    topic_id: int
    name: str
    reviewer: str
    verdict: str
    theme: str
    note: str
    judged_at: datetime


class Sighting(TypedDict):
    """When a source showed a video."""

    source_id: str
    kind: str
    query: str
    rank: int | None
    first_seen_at: datetime


class Screening(TypedDict):
    """What screening says of a video."""

    verdict: str
    rule: str
    reason: str


class Transcript(TypedDict):
    """A transcript of a talk; `counts`: its paragraphs do; `draft`: captions, until it is transcribed."""

    transcript_version: str
    language: str
    duration_s: float
    words: int
    speakers: int
    counts: bool
    draft: bool


class TalkTopic(NamedTopic):
    """What a talk counts as."""

    theme: str
    retained: bool
    paragraphs: int
    minutes: float


class Correction(TypedDict):
    """What was corrected about a talk."""

    correction_id: str
    video_id: str
    title: str
    what: str
    published_before: datetime | None
    published_at: datetime | None
    transcript_version: str
    speaker: str
    name: str
    reason: str
    author: str
    corrected_at: datetime


class ListedTalk(TypedDict):
    """A talk in a list."""

    video_id: str
    title: str
    show: str
    published_on: date | None
    state: str
    withdrawn: bool


class Followed(TypedDict):
    """What changed about a talk where it is shown."""

    change: str
    was: str
    title: str
    seen_at: datetime


class WholeTalk(ListedTalk):
    """Everything about a talk but its paragraphs."""

    description: str
    channel: str
    channel_id: str
    url: str
    language: str | None
    duration_s: float | None
    speakers: list[str]
    published_at: datetime | None
    published_first: datetime | None
    sightings: list[Sighting]
    screening: Screening | None
    transcripts: list[Transcript]
    topics: list[TalkTopic]
    corrections: list[Correction]
    followed: list[Followed]
