"""Rows of the codebook: its topics and themes, decisions about them, and reviewers' judgements."""

from __future__ import annotations

from datetime import datetime

from typing_extensions import TypedDict


class StoredEntry(TypedDict):
    """A topic's entry in a revision of the codebook."""

    topic_id: int
    theme: str
    """Empty before it is in one."""
    retained: int
    """0 or 1."""
    target: int
    """The topic that a person merged it into, or 0."""
    reason: str
    revision: int
    """The revision that the entry is from."""
    decided: str
    """The name that a person gave, or empty."""
    own: str
    """The name that a labeller gave, else the model's, else that of the codebook it was seeded from."""


class CodebookTopic(TypedDict):
    """A topic as the codebook has it."""

    topic_id: int
    name: str
    """The name that a person gave, or empty."""
    own: str
    """The name that a labeller or the model gives."""
    theme: str
    retained: bool
    target: int | None
    """The topic that a person merged it into."""
    reason: str
    revision: int
    """The revision that the entry is from."""
    key: str
    """Its name in the codebook that it was seeded from; empty for one that was born."""
    origin: str
    """seeded or born."""
    alias: int | None
    """The topic that the model merged it into."""
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
    """By id."""
    themes: list[CodebookTheme]
    """By name."""


class StoredRevisions(TypedDict):
    """The newest revision that the store holds (0: none), and how many it holds."""

    revision: int
    decisions: int


class Revision(StoredRevisions):
    """The newest revision of the codebook that the store holds, and the model whose topics are shown."""

    model_version: str


class Decision(TypedDict):
    """A decision about the codebook."""

    revision: int
    model_version: str
    action: str
    said: str
    topic_ids: list[int]
    theme_names: list[str]
    undoes: int | None
    """The revision that it takes back."""
    author: str
    note: str
    decided_at: datetime


class Judgement(TypedDict):
    """A reviewer's judgement of a topic."""

    topic_id: int
    name: str
    reviewer: str
    verdict: str
    """include or exclude."""
    theme: str
    """Where the topic belongs, or empty."""
    note: str
    judged_at: datetime


class ConceptJudgement(TypedDict):
    """A reviewer's judgement of whether a paragraph is about a topic of the codebook."""

    video_id: str
    paragraph_id: str
    concept: str
    """The topic's key in the codebook."""
    verdict: str
    """about, not about, or unsure (a language model's only)."""
    reviewer: str
    """A person's name, or `model:` and a language model's."""
    note: str
    judged_at: datetime


class CountedOverlap(TypedDict):
    """A topic that was born, and a topic of the codebook that some of its paragraphs are about."""

    topic_id: int
    """The topic that was born, a cluster."""
    name: str
    theme: str
    concept_id: int
    """The topic of the codebook, a concept."""
    concept_name: str
    paragraphs: int
    """Paragraphs of the cluster that are about the concept."""
    of_paragraphs: int
    """Paragraphs of the cluster."""
    share: float
    """paragraphs / of_paragraphs."""
    expected: float
    """Share of all paragraphs that are about the concept: what chance would give."""
    lift: float
    """share / expected."""
    videos: int
    """Videos with a paragraph of both."""
    of_videos: int
    """Videos with a paragraph of the cluster."""


class DoubtfulParagraph(TypedDict):
    """A paragraph that is worth judging: whether it is about the topic is uncertain."""

    topic_id: int
    name: str
    concept: str
    """The topic's key in the codebook."""
    probability: float
    video_id: str
    title: str
    url: str
    published_at: datetime
    paragraph_id: str
    position: int
    """Index in the transcript, from 0."""
    start_s: float
    text: str
