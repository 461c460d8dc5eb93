"""Schemas of alerts, deliveries, model health and boilerplate."""

from __future__ import annotations

from datetime import date, datetime

from typing_extensions import TypedDict


class DamagedPart(TypedDict):
    """A part of a table that ClickHouse could not read, whose rows are missing."""

    table: str
    path: str


class Status(TypedDict):
    """How far the videos got."""

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
    """A change in how well the model fits."""

    what: str
    before: float
    after: float
    since: date | None
    day: date | None


class Heard(TypedDict):
    """A talk, and where it is."""

    video_id: str
    title: str
    show: str
    url: str
    published_at: datetime | None


class EvidenceQuote(Heard):
    """A quote that something new rests on."""

    paragraph_id: str
    source: str
    published_on: date
    start_s: float
    text: str


class Evidence(TypedDict):
    """What something new rests on."""

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
    """Something that people are told of, and why."""

    alert_id: str
    rule: str
    title: str
    reason: str
    raised_at: datetime | None


class Emergence(Evidence):
    """A subject that talks have begun to speak of."""

    emergence_id: str
    subject: str
    reason: str
    emerged_at: datetime | None


class Told(TypedDict):
    """How telling of an alert stands at one destination."""

    destination: str
    state: str
    at: datetime


class RaisedAlert(Alert):
    """An alert of any rule, and who was told."""

    about: str
    size: int
    model_version: str
    sequence: int
    repeat: bool
    deliveries: list[Told]


class Delivery(TypedDict):
    """Telling somebody something."""

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
    """A talk that came in."""

    video_id: str
    title: str
    show: str
    url: str
    published_at: datetime | None


class Growth(TypedDict):
    """How the corpus grew in a time."""

    talks: int
    hours: float
    sources: int
    shown: list[NewTalk]


class BoilerplateExample(Heard):
    """A paragraph that was kept out."""

    start_s: float
    text: str


class Boilerplate(TypedDict):
    """What a source says again and again."""

    source: str
    name: str
    videos: int
    paragraphs: int
    boilerplate: int
    share: float
    examples: list[BoilerplateExample]
