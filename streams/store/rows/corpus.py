"""Rows of the corpus: its size, its state, its origin, and the values that its filters take."""

from __future__ import annotations

from datetime import date, datetime

from typing_extensions import TypedDict

from streams.store.rows.topics import NamedTopic


class Corpus(TypedDict):
    """The videos that were found, by what became of them.

    The fields from `paragraphs` on are about the kept ones: transcribed, and learned by the topic model.
    """

    found: int
    kept: int
    withdrawn: int
    waiting: int
    rejections: dict[str, int]
    """Videos by the rule that rejected them."""
    paragraphs: int
    hours: float
    mean_minutes: float | None
    """None where no video was kept; so are `first` and `last`, the days of publication."""
    first: date | None
    last: date | None


class Excluded(NamedTopic):
    """A topic that does not count."""

    reason: str


class Merged(NamedTopic):
    """A topic that counts for another."""

    into_id: int
    into: str
    by: str
    """model or person."""


class ModelOrigin(TypedDict):
    """The topic model that the numbers rest on."""

    model_version: str
    """Empty before there is a model; so are `embedding_model` and `codebook`."""
    epoch: int | None
    embedding_model: str
    codebook: str
    """The codebook that the model began with."""


class Provenance(ModelOrigin):
    """The models that the numbers rest on, and people's decisions about topics."""

    transcripts: dict[str, int]
    """Videos by the version of their transcript."""
    revision: int
    """Of the codebook as it is applied; 0 before any decision."""
    decided_at: datetime | None
    excluded: list[Excluded]
    merged: list[Merged]


class Choice(TypedDict):
    """A value that a filter can take."""

    filter: str
    """show, channel, source, speaker or language."""
    value: str
    videos: int


class DamagedPart(TypedDict):
    """A part of a table that ClickHouse could not read, whose rows are missing."""

    table: str
    path: str
    """The folder that holds the part now."""


class Standing(TypedDict):
    """The videos by state, and what is wrong with the study."""

    states: dict[str, int]
    """Videos by state."""
    videos: int
    rejections: dict[str, int]
    """Videos by the rule that rejected them."""
    dead_letters: int
    epoch: int
    relearning: int
    """Talks that the newest epoch's model has not learned yet."""
    damaged_parts: list[DamagedPart]
    codebook_as_clusters: bool
    """The model began before topics of the codebook were judged; `groundswell rebuild` makes another."""


class Status(Standing):
    """The videos by state, what is wrong with the study, and the size of the corpus."""

    paragraphs: int
    hours: float
    topics: int
    first_published: datetime | None
    last_published: datetime | None
    boilerplate: int
    """Paragraphs that were kept out of the model."""
