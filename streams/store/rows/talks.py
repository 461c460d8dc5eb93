"""Rows of talks: their metadata, transcripts, paragraphs, quotes and corrections."""

from __future__ import annotations

from datetime import date, datetime

from typing_extensions import TypedDict

from streams.store.rows.topics import NamedTopic


class Heard(TypedDict):
    """A talk, and its address."""

    video_id: str
    title: str
    show: str
    url: str
    published_at: datetime | None


class Quote(TypedDict):
    """A paragraph, and where to hear it."""

    paragraph_id: str
    video_id: str
    title: str
    show: str
    url: str
    published_at: datetime
    start_s: float
    """Seconds from the start of the recording; so is `end_s`."""
    end_s: float
    speakers: list[str]
    text: str
    probability: float
    """Of the topic."""


class FurtherTopic(TypedDict):
    """A further topic that a paragraph counts for."""

    topic_id: int
    name: str
    theme: str
    retained: bool
    probability: float


class Paragraph(TypedDict):
    """A paragraph of a talk, and the topics that it counts for, the most probable of the codebook first."""

    position: int
    paragraph_id: str
    start_s: float
    """Seconds from the start of the recording; so is `end_s`."""
    end_s: float
    speakers: list[str]
    text: str
    topic_id: int | None
    """None where it has no topic; so are `name`, `theme` and `probability`."""
    name: str | None
    theme: str | None
    retained: bool
    """Its topic counts."""
    probability: float | None
    boilerplate: bool
    further: list[FurtherTopic]
    """Its other topics."""


class Sighting(TypedDict):
    """A source that showed a video, and when it did so first."""

    source_id: str
    kind: str
    query: str
    rank: int | None
    first_seen_at: datetime


class Screening(TypedDict):
    """The verdict of screening on a video."""

    verdict: str
    rule: str
    reason: str


class StoredTranscript(TypedDict):
    """A transcript as it is stored."""

    transcript_version: str
    language: str
    duration_s: float
    words: int
    speakers: int


class Transcript(StoredTranscript):
    """A transcript of a talk."""

    counts: bool
    """Its paragraphs are those that count."""
    draft: bool
    """It is captions, until the recording is transcribed."""


class TalkTopic(NamedTopic):
    """A topic that a talk counts for; of a merged topic, the one that it counts for."""

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
    """withdrawn, restored, redated, kept (a duplicate that counts all the same) or named."""
    published_before: datetime | None
    """redated: the date before; None otherwise."""
    published_at: datetime | None
    """redated: the date from then on; None otherwise."""
    transcript_version: str
    speaker: str
    """named: the speaker's name in the transcript."""
    name: str
    """named: the speaker's real name; empty: not any more."""
    reason: str
    author: str
    corrected_at: datetime


class ListedTalk(TypedDict):
    """A talk in a list."""

    video_id: str
    title: str
    show: str
    published_on: date | None
    """Day of publication (UTC), as corrected."""
    state: str
    withdrawn: bool


class Followed(TypedDict):
    """A change of a talk where it is shown."""

    change: str
    """retitled, deleted, private or returned."""
    was: str
    """The former title."""
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
    """As corrected."""
    published_first: datetime | None
    """As its source says."""
    sightings: list[Sighting]
    """The first one first."""
    screening: Screening | None
    """None before it was screened."""
    transcripts: list[Transcript]
    topics: list[TalkTopic]
    """Most paragraphs first. Of a withdrawn talk: what it would count for."""
    corrections: list[Correction]
    followed: list[Followed]
    """The newest first."""


class ListedVideo(ListedTalk):
    """A video in the list of all."""

    channel: str
    duration_s: float | None
    """Of the transcript that counts; before there is one, as its source says."""
    rule: str
    """The rule that rejected it, or empty; `reason` likewise."""
    reason: str
    paragraphs: int
    """Paragraphs with a topic, as assigned; 0 before the model has learned it, as are its `topics`."""
    topics: int


class NewTalk(TypedDict):
    """A talk that counts, by title."""

    video_id: str
    title: str
    show: str
    published_on: date


class Listing(TypedDict):
    """A page of the videos, and how many there are."""

    videos: int
    """All of them, without limit and offset."""
    rows: list[ListedVideo]
