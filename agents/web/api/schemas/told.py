"""Schemas of alerts, deliveries, model health and boilerplate."""

from __future__ import annotations

from datetime import date, datetime

from typing_extensions import TypedDict


class DamagedPart(TypedDict):
    """A part of a table that ClickHouse could not read; its rows are missing."""

    table: str
    path: str


class Status(TypedDict):
    """State of the study: videos by state, and totals."""

    states: dict[str, int]
    videos: int
    rejections: dict[str, int]
    paragraphs: int
    hours: float
    topics: int
    first_published: datetime | None
    last_published: datetime | None
    dead_letters: int
    boilerplate: int
    epoch: int
    relearning: int
    damaged_parts: list[DamagedPart]


class Health(TypedDict):
    """A change in how well the topic model fits the talks."""

    what: str
    before: float
    after: float
    since: date | None
    day: date | None


class Heard(TypedDict):
    """A talk with its address."""

    video_id: str
    title: str
    show: str
    url: str
    published_at: datetime | None


class EvidenceQuote(Heard):
    """A quote that is part of an alert's evidence."""

    paragraph_id: str
    source: str
    published_on: date
    start_s: float
    text: str


class Evidence(TypedDict):
    """Evidence for an alert or emergence."""

    video_ids: list[str]
    topic_id: int
    terms: list[str]
    channel: str
    sources: int
    recent: int
    recent_of: int
    earlier: int
    earlier_of: int
    log10_p: float
    first_on: date | None
    latest_on: date | None
    quotes: list[EvidenceQuote]
    talks: list[Heard]


class Alert(Evidence):
    """An alert and its reason."""

    alert_id: str
    rule: str
    title: str
    reason: str
    raised_at: datetime | None


class Emergence(Evidence):
    """A subject that talks have begun to discuss."""

    emergence_id: str
    subject: str
    reason: str
    emerged_at: datetime | None


class Told(TypedDict):
    """State of an alert's delivery to one destination."""

    destination: str
    state: str
    at: datetime


class RaisedAlert(Alert):
    """An alert of any rule, with its deliveries."""

    about: str
    size: int
    model_version: str
    sequence: int
    repeat: bool
    deliveries: list[Told]


class Delivery(TypedDict):
    """Delivery of alerts or a digest to a destination."""

    delivery_id: str
    what: str
    destination: str
    alert_ids: list[str]
    title: str
    state: str
    attempts: int
    error: str
    next_at: datetime | None
    at: datetime
    until: datetime | None


class NewTalk(TypedDict):
    """A new talk."""

    video_id: str
    title: str
    show: str
    url: str
    published_at: datetime | None


class Growth(TypedDict):
    """Growth of the corpus in a period."""

    talks: int
    hours: float
    sources: int
    shown: list[NewTalk]


class BoilerplateExample(Heard):
    """A paragraph that was excluded as boilerplate."""

    start_s: float
    text: str


class Boilerplate(TypedDict):
    """Paragraphs that recur in many talks of a source, excluded from topics."""

    source: str
    name: str
    videos: int
    paragraphs: int
    boilerplate: int
    share: float
    examples: list[BoilerplateExample]
