"""The work: stages, sources, screening, dead letters."""

from __future__ import annotations

from datetime import date, datetime

from typing_extensions import TypedDict

from agents.web.api.schemas.curated import ListedTalk, Sighting


class DeadLetter(TypedDict):
    """A message that could not be processed."""

    letter_id: str
    agent: str
    cause: str
    cure: str
    topic: str
    partition: int
    offset: int
    video_id: str | None
    failed_at: datetime
    settlement: str


class WholeDeadLetter(DeadLetter):
    """The same with its message (base64), or the key of the blob that holds it."""

    log_id: str
    message_key: str | None
    payload: str | None
    payload_key: str | None


class Stage(TypedDict):
    """Videos in one state."""

    state: str
    waits_for: str | None
    videos: int
    dead: int
    oldest_seen_at: datetime | None
    newest_seen_at: datetime | None


class Throughput(TypedDict):
    """What came in at a time, and what became of it."""

    seen_at: datetime
    seen: int
    kept: int
    rejected: int
    withdrawn: int
    waiting: int
    dead: int


class LearnedLast(TypedDict):
    """The talk that the model learned last."""

    video_id: str
    title: str
    published_on: date


class Freshness(TypedDict):
    """The newest of everything."""

    seen_at: datetime | None
    published_at: datetime | None
    learned: LearnedLast | None
    failed_at: datetime | None
    raised_at: datetime | None
    decided_at: datetime | None


class Source(TypedDict):
    """What a source has shown, and what became of it."""

    source_id: str
    kind: str
    query: str
    first_seen_at: datetime | None
    last_seen_at: datetime | None
    found: int
    alone: int
    kept: int
    rejected: int
    withdrawn: int
    waiting: int
    dead: int
    share: float | None
    rejections: dict[str, int]
    failures: int
    failed_at: datetime | None
    cause: str | None
    cure: str | None


class FailingSource(TypedDict):
    """A source that could not be looked at."""

    source_id: str
    failures: int
    failed_at: datetime
    cause: str
    cure: str


class Parked(TypedDict):
    """A video that waits, and for what."""

    video_id: str
    title: str
    channel: str
    url: str
    state: str
    reason: str
    until: datetime | None
    attempt: int
    parked_at: datetime


class Screened(TypedDict):
    """A video, and what screening says of it."""

    video_id: str
    title: str
    channel: str
    show: str
    url: str
    language: str | None
    duration_s: float | None
    published_at: datetime | None
    state: str
    verdict: str
    rule: str
    reason: str
    withdrawn: bool
    seen_at: datetime | None
    sightings: list[Sighting]


class Queue(TypedDict):
    """Some of the videos, and how many there are."""

    videos: int
    rows: list[Screened]


class ListedVideo(ListedTalk):
    """A video in the list of all."""

    channel: str
    duration_s: float | None
    rule: str
    reason: str
    paragraphs: int
    topics: int


class Listing(TypedDict):
    """Some of the videos, and how many there are."""

    videos: int
    rows: list[ListedVideo]


class Rule(TypedDict):
    """A rule that rejected videos."""

    rule: str
    videos: int
    share: float
    reason: str


class ScreeningSummary(TypedDict):
    """What was found, what was kept, and why the rest was not."""

    found: int
    kept: int
    withdrawn: int
    waiting: int
    unscreened: int
    rejected: int
    paragraphs: int
    hours: float
    mean_minutes: float | None
    first: date | None
    last: date | None
    rules: list[Rule]


class Waiting(TypedDict):
    """A video that waits for reviewers."""

    video_id: str
    title: str
    description: str
    channel: str
    show: str
    url: str
    language: str | None
    duration_s: float | None
    published_at: datetime | None
    reason: str
    parked_at: datetime
    model: str
    score: float | None
    talk_kind: str
    reasons: list[str]
    reviewers: int


class ReviewQueue(TypedDict):
    """Some of the videos that wait for reviewers, and how many there are."""

    videos: int
    rows: list[Waiting]


class Review(TypedDict):
    """What a reviewer said of a video."""

    video_id: str
    title: str
    reviewer: str
    verdict: str
    talk_kind: str
    note: str
    final: bool
    reviewed_at: datetime
