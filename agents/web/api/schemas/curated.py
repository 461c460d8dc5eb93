"""Schemas of curated data: the codebook, judgements, talks and their corrections."""

from __future__ import annotations

from datetime import date, datetime

from typing_extensions import TypedDict

from agents.web.api.schemas.counted import NamedTopic


class CodebookTopic(TypedDict):
    """A topic in the codebook."""

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
    """A theme in the codebook."""

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
    """A curator's decision about the codebook."""

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
    """A reviewer's judgement of a topic."""

    topic_id: int
    name: str
    reviewer: str
    verdict: str
    theme: str
    note: str
    judged_at: datetime


class Sighting(TypedDict):
    """First sighting of a video at a source."""

    source_id: str
    kind: str
    query: str
    rank: int | None
    first_seen_at: datetime


class Screening(TypedDict):
    """Verdict of screening on a video."""

    verdict: str
    rule: str
    reason: str


class Transcript(TypedDict):
    """A transcript; `counts`: its paragraphs count; `draft`: captions, used until the talk is transcribed."""

    transcript_version: str
    language: str
    duration_s: float
    words: int
    speakers: int
    counts: bool
    draft: bool


class TalkTopic(NamedTopic):
    """A topic of a talk."""

    theme: str
    retained: bool
    paragraphs: int
    minutes: float


class Correction(TypedDict):
    """A correction of a talk."""

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
    """A change of a video at its source."""

    change: str
    was: str
    title: str
    seen_at: datetime


class WholeTalk(ListedTalk):
    """Everything about a talk except its paragraphs."""

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
