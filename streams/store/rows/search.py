"""Rows of a search: topics, talks and quotes with the words of a text."""

from __future__ import annotations

from datetime import date

from typing_extensions import TypedDict

from streams.store.rows.prevalence import Counted, CountedTopic, Extent
from streams.store.rows.talks import Heard


class FoundTopic(CountedTopic):
    """A topic that a search found, with everything that the view `topics` counts of it."""

    through: str
    """The name of a merged topic that has the words, or empty."""


class FoundTalk(TypedDict):
    """A talk that a search found."""

    video_id: str
    title: str
    show: str
    channel: str
    speakers: list[str]
    published_on: date


class FoundQuote(Heard):
    """A paragraph that a search found."""

    paragraph_id: str
    start_s: float
    """Seconds from the start of the recording; so is `end_s`."""
    end_s: float
    speakers: list[str]
    text: str
    topic_id: int | None
    """None where it has no topic that counts; so is `name`."""
    name: str | None


class Correction(TypedDict):
    """A word that no paragraph has, and the nearest spelling that was looked for as well."""

    word: str
    instead: str


class Found(TypedDict):
    """Results of a search: the first of each kind, and how many there are."""

    tokens: list[str]
    """The words as they were searched for."""
    forms: list[str]
    """Their forms, of which a quote has one of each word."""
    corrected: list[Correction]
    topics: list[FoundTopic]
    topics_found: int
    talks: list[FoundTalk]
    """The newest first."""
    talks_found: int
    quotes: list[FoundQuote]
    """The newest or the most relevant first, at most two of a talk."""
    quotes_found: int
    quotes_talks: int
    """Talks that have these quotes."""


class WordsInMonth(TypedDict):
    """A month of publication in which words are mentioned."""

    month: str
    """'YYYY-MM'."""


class CountedWordMonth(Counted, Extent, WordsInMonth):
    """Counts of the talks that mention words in a month."""
