"""Rows about the validation of the codebook."""

from __future__ import annotations

from datetime import datetime

from typing_extensions import TypedDict


class CountedParagraphs(TypedDict):
    """Numbers of paragraphs of one topic or theme."""

    counted: int
    near: int
    """Not counted, of talks that count for it."""


class DrawnParagraph(TypedDict):
    """A paragraph that a validation sample would have."""

    paragraph_id: str
    video_id: str
    stratum: str
    """Why it is drawn: random, counted or near."""
    counted: list[int]
    """For each topic that it is counted for: the number of paragraphs counted for the topic."""
    near: list[int]
    """For each other topic of its talk: the number of paragraphs near the topic."""
    population: int
    """Paragraphs of all talks that count."""


class ValidationSample(TypedDict):
    """A sample of paragraphs that people code."""

    sample: str
    """Its name: the time at which it was drawn."""
    model_version: str
    topics: list[str]
    """Keys of the topics that each paragraph is coded for."""
    population: int
    """Number of paragraphs from which it was drawn."""
    paragraphs: int
    coded: int
    """Paragraphs that anybody has coded."""
    coded_twice: int
    """Paragraphs that two people or more have coded."""
    drawn_by: str
    drawn_at: datetime


class Coding(TypedDict):
    """A reviewer's coding of a paragraph."""

    video_id: str
    paragraph_id: str
    offered: list[str]
    """Keys of the topics from which the reviewer chose."""
    topics: list[str]
    """Keys of the topics that it is about."""
    reviewer: str
    note: str
    coded_at: datetime


class CodingTask(TypedDict):
    """A paragraph of the newest sample, for somebody to code."""

    sample: str
    paragraph_id: str
    video_id: str
    title: str
    url: str
    published_at: datetime | None
    position: int
    """Index in the transcript, from 0."""
    start_s: float
    text: str


class SampledCoding(TypedDict):
    """A coded paragraph: what people say, and what it is counted for."""

    paragraph_id: str
    weight: float
    """Number of paragraphs that it stands for."""
    reviewers: list[str]
    said: list[list[str]]
    """For each reviewer: keys of the topics that it is about."""
    counted: list[int]
    """Units that it is counted for."""
