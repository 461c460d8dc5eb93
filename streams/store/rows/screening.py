"""Rows of screening: verdicts on videos, the rules that rejected them, and reviewers' work."""

from __future__ import annotations

from datetime import date, datetime

from typing_extensions import TypedDict

from streams.store.rows.talks import Sighting


class Screened(TypedDict):
    """A video, and the verdict of screening on it."""

    video_id: str
    title: str
    channel: str
    show: str
    url: str
    language: str | None
    duration_s: float | None
    published_at: datetime | None
    """As corrected."""
    state: str
    verdict: str
    """accepted, rejected or waiting."""
    rule: str
    """The rule that rejected it, or empty; `reason` likewise."""
    reason: str
    withdrawn: bool
    seen_at: datetime | None
    """When a source showed it first."""
    sightings: list[Sighting]
    """The first one first."""


class Queue(TypedDict):
    """A page of the videos, and how many there are."""

    videos: int
    """All of them, without limit and offset."""
    rows: list[Screened]


class Rule(TypedDict):
    """A rule that rejected videos."""

    rule: str
    videos: int
    share: float
    """Of the rejected videos, in (0, 1]."""
    reason: str
    """The reason that was given of the video whose id comes first."""


class ScreeningSummary(TypedDict):
    """Counts of the videos that were found and kept, and of the others by the rule that rejected them.

    Fields that the view `corpus` has too are those of the whole study.
    """

    found: int
    kept: int
    withdrawn: int
    waiting: int
    unscreened: int
    """Those of the waiting ones that are not judged yet."""
    rejected: int
    """The sum of the rules'."""
    paragraphs: int
    hours: float
    mean_minutes: float | None
    first: date | None
    last: date | None
    rules: list[Rule]
    """Most videos first."""


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
    """Why it waits."""
    parked_at: datetime
    model: str
    """The relevance model's version, which names what it learned from; empty: no model scored it."""
    score: float | None
    """Estimated probability that reviewers keep it; None where no model scored it."""
    talk_kind: str
    """The likeliest."""
    reasons: list[str]
    """The reasons of the score, the strongest first."""
    reviewers: int
    """Reviewers who have judged it."""


class ReviewQueue(TypedDict):
    """A page of the videos that wait for reviewers, and how many there are."""

    videos: int
    """All of them, without limit and offset."""
    rows: list[Waiting]


class Review(TypedDict):
    """A reviewer's verdict on a video."""

    video_id: str
    title: str
    reviewer: str
    verdict: str
    """keep or exclude."""
    talk_kind: str
    """The kind of the talk; the reason, where it is excluded."""
    note: str
    final: bool
    """It is an adjudication."""
    reviewed_at: datetime
