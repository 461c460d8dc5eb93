"""Rows of the pipeline's work: stages, sources, parked videos, dead letters, and changes for open pages."""

from __future__ import annotations

from datetime import date, datetime

from typing_extensions import TypedDict


class DeadLetter(TypedDict):
    """A message that could not be processed."""

    letter_id: str
    agent: str
    cause: str
    cure: str
    topic: str
    """The Kafka topic."""
    partition: int
    offset: int
    video_id: str | None
    failed_at: datetime
    settlement: str
    """replayed or dropped; empty: open."""


class WholeDeadLetter(DeadLetter):
    """A dead letter with its message (base64), or the key of the blob that holds it."""

    log_id: str
    message_key: str | None
    payload: str | None
    payload_key: str | None


class Stage(TypedDict):
    """Videos in one state."""

    state: str
    waits_for: str | None
    """The agent that takes the videos on; None: they are finished."""
    videos: int
    dead: int
    """Videos with an open dead letter: nothing happens until it is replayed or dropped."""
    oldest_seen_at: datetime | None
    """When the first of the videos was first seen; no fact says when they came to be in this state."""
    newest_seen_at: datetime | None


class UnfinishedVideo(TypedDict):
    """A video on its way."""

    video_id: str
    title: str
    state: str
    waits_for: str
    """The agent that takes it on."""
    seen_at: datetime
    """When a source showed it first."""


class Fates(TypedDict):
    """Videos by what became of them."""

    kept: int
    rejected: int
    withdrawn: int
    waiting: int
    dead: int
    """Not finished, with an open dead letter."""


class FirstSeen(TypedDict):
    """Videos that were first seen in one hour or day."""

    seen_at: datetime
    """When the hour or day begins."""
    seen: int


class Throughput(FirstSeen, Fates):
    """Videos that were first seen in one hour or day, by what has become of them."""


class LearnedLast(TypedDict):
    """The talk that the model learned last, in its own order; no fact says when that was."""

    video_id: str
    title: str
    published_on: date


class Freshness(TypedDict):
    """The newest of everything; None where there is none yet."""

    seen_at: datetime | None
    """When a source last showed a video that it had not shown before."""
    published_at: datetime | None
    """Of the newest talk that was transcribed, as its source says."""
    learned: LearnedLast | None
    failed_at: datetime | None
    """Of the newest dead letter, settled or not."""
    raised_at: datetime | None
    """Of the newest alert."""
    decided_at: datetime | None
    """Of the newest decision about the codebook."""


class SeenSource(TypedDict):
    """A source, and the videos that it has shown."""

    source_id: str
    kind: str
    query: str
    """Its newest one."""
    first_seen_at: datetime | None
    last_seen_at: datetime | None
    """When it last showed something new."""
    found: int
    """Videos; one that several sources show counts for each."""
    alone: int
    """Videos that no other source shows."""


class SourceYield(Fates):
    """The videos of a source, by what became of them."""

    share: float | None
    """kept / (kept + rejected); None before either."""
    rejections: dict[str, int]
    """Videos by the rule that rejected them."""


class SourceFailures(TypedDict):
    """The failures of a source as of `failing_sources`; 0 and None where it does not fail."""

    failures: int
    failed_at: datetime | None
    cause: str | None
    cure: str | None


class Source(SeenSource, SourceYield, SourceFailures):
    """A source, the videos that it has shown, and what became of them."""


class FailingSource(TypedDict):
    """A source that discover could not read."""

    source_id: str
    failures: int
    """Open dead letters; the following are of the newest."""
    failed_at: datetime
    cause: str
    cure: str


class Parked(TypedDict):
    """A video that waits."""

    video_id: str
    title: str
    channel: str
    url: str
    state: str
    """upcoming, live, just ended, sign-in, recheck, paused or in review."""
    reason: str
    until: datetime | None
    """When it is tried again; None: when somebody asks for it, or has reviewed it."""
    attempt: int
    parked_at: datetime


class StoredVideo(TypedDict):
    """Metadata of a video."""

    video_id: str
    title: str
    description: str
    channel: str
    channel_id: str
    show: str
    url: str
    published_at: datetime | None
    duration_s: float | None
    language: str | None
    speakers: list[str]


class UnlearnedTranscript(StoredVideo):
    """A transcript that a topic model has not learned yet, with the metadata of its video."""

    transcript_version: str
    blob_key: str
    transcript_language: str
    transcript_duration_s: float
    words: int
    transcript_speakers: int


class KnownVideo(StoredVideo):
    """A video that a source has shown before."""

    accepted: int
    """1: its metadata is complete and it passed screening."""
    handed_in: int
    """1: a person gave it, whose metadata takes precedence."""
    titles: list[str]
    """Titles that it ever changed from or to."""


class FollowedVideo(KnownVideo):
    """A video whose page is looked at again."""

    change: str
    """The last of deleted, private and returned; empty: none of them."""


class LearnedTalk(TypedDict):
    """A talk that the model learned of late."""

    video_id: str
    title: str
    talks: int
    """All of them, without the limit."""


class NewDecision(TypedDict):
    """A decision about the codebook of late."""

    revision: int
    said: str
    author: str
