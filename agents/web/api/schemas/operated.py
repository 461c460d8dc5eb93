"""Schemas of operation: stages, sources, screening, dead letters."""

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
    """A dead letter with its message (base64), or the key of the blob that holds the message."""

    log_id: str
    message_key: str | None
    payload: str | None
    payload_key: str | None


class Stage(TypedDict):
    """Number of videos in a state."""

    state: str
    waits_for: str | None
    videos: int
    dead: int
    oldest_seen_at: datetime | None
    newest_seen_at: datetime | None


class Throughput(TypedDict):
    """Videos first seen in an hour or day, by outcome."""

    seen_at: datetime
    seen: int
    kept: int
    rejected: int
    withdrawn: int
    waiting: int
    dead: int


class LearnedLast(TypedDict):
    """The talk that the topic model learned last."""

    video_id: str
    title: str
    published_on: date


class Freshness(TypedDict):
    """Time of the newest event of each kind."""

    seen_at: datetime | None
    published_at: datetime | None
    learned: LearnedLast | None
    failed_at: datetime | None
    raised_at: datetime | None
    decided_at: datetime | None


class Source(TypedDict):
    """A source and the videos it showed, by outcome."""

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
    """A source that could not be read."""

    source_id: str
    failures: int
    failed_at: datetime
    cause: str
    cure: str


class Parked(TypedDict):
    """A parked video, with the reason and the time of the next attempt."""

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
    """A video with the verdict of screening."""

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
    """A page of screened videos, and the total number."""

    videos: int
    rows: list[Screened]


class ListedVideo(ListedTalk):
    """A video in the list of all videos."""

    channel: str
    duration_s: float | None
    rule: str
    reason: str
    paragraphs: int
    topics: int


class Listing(TypedDict):
    """A page of the list of videos, and the total number."""

    videos: int
    rows: list[ListedVideo]


class Rule(TypedDict):
    """A screening rule and the videos it rejected."""

    rule: str
    videos: int
    share: float
    reason: str


class ScreeningSummary(TypedDict):
    """Counts of videos found, kept and rejected, by rule."""

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
    """A video that waits for review."""

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
    """A page of the videos that wait for review, and the total number."""

    videos: int
    rows: list[Waiting]


class Review(TypedDict):
    """A reviewer's verdict on a video."""

    video_id: str
    title: str
    reviewer: str
    verdict: str
    talk_kind: str
    note: str
    final: bool
    reviewed_at: datetime
