"""Rows of alerts and emergences with their evidence, their deliveries, and of boilerplate."""

from __future__ import annotations

from datetime import date, datetime
from typing import NotRequired

from typing_extensions import TypedDict

from streams.store.rows.talks import Heard


class EvidenceQuote(Heard):
    """A quote that something new rests on."""

    paragraph_id: str
    source: str
    published_on: date
    start_s: float
    """Seconds from the start of the recording."""
    text: str


class EvidenceCounts(TypedDict):
    """The counts that something new rests on."""

    sources: int
    recent: int
    """Of the latest talks, those about it."""
    recent_of: int
    earlier: int
    earlier_of: int
    log10_p: float
    """Logarithm of the probability of the counts, had nothing changed."""


class Evidence(TypedDict):
    """The talks, words and counts that something new rests on."""

    video_ids: list[str]
    topic_id: int
    terms: list[str]
    channel: str
    """Empty where there is no evidence."""
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
    """The first and the latest of `video_ids`."""


class Alert(Evidence):
    """An alert, and why it was raised."""

    alert_id: str
    rule: str
    title: str
    reason: str
    raised_at: datetime | None


class Emergence(Evidence):
    """A subject that talks have begun to be about."""

    emergence_id: str
    subject: str
    reason: str
    emerged_at: datetime | None
    only_on: str
    """The source that nearly alone mentions it; empty: several do."""
    replaces: str
    """The subject as which it was one source's; empty: it was not."""


class Told(TypedDict):
    """The state of an alert's delivery to one destination."""

    destination: str
    state: str
    at: datetime


class AlertOfAnyRule(Alert):
    """An alert of any rule."""

    about: str
    size: int
    replaces: str
    """The alert of one source that it replaces; empty: none."""
    model_version: str
    sequence: int
    repeat: bool
    """A model that was built anew repeats what an earlier one raised from the same talks."""


class RaisedAlert(AlertOfAnyRule):
    """An alert of any rule, and its deliveries."""

    deliveries: list[Told]


class CardQuote(Heard):
    """A quote on a card: of its evidence, or of its topic."""

    paragraph_id: str
    start_s: float
    """Seconds from the start of the recording."""
    text: str
    source: NotRequired[str]
    published_on: NotRequired[date]
    transcript_version: NotRequired[str]
    position: NotRequired[int]


class Card(TypedDict):
    """An alert about the subjects of talks, and people's judgement of it."""

    alert_id: str
    rule: str
    topic_id: int | None
    """The topic that it counts for now; None where it is about none."""
    told_id: int | None
    """The topic that it was about when it was raised."""
    topic: str | None
    told: str | None
    retained: bool
    about: str
    title: str
    reason: str
    raised_at: datetime | None
    size: float
    video_ids: list[str]
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
    quotes: list[CardQuote]
    """Those of `alerts`; without evidence, the most probable paragraphs of the topic."""
    talks: list[Heard]
    published: dict[str, date]
    """Days of publication of `video_ids`."""
    verdict: str
    """confirmed, dismissed, or empty: open."""
    author: str
    note: str
    judged_at: datetime | None
    found: int
    """All alerts, without limit and offset."""


class AlertJudgement(TypedDict):
    """A person's judgement of an alert."""

    alert_id: str
    rule: str
    title: str
    verdict: str
    """confirmed, dismissed or reopened."""
    author: str
    note: str
    judged_at: datetime


class AlertTitle(TypedDict):
    """An alert by its title."""

    alert_id: str
    title: str


class BoilerplateExample(Heard):
    """A paragraph that was kept out of the model."""

    start_s: float
    """Seconds from the start of the recording."""
    text: str


class Boilerplate(TypedDict):
    """Paragraphs that a source repeats from talk to talk, and that were kept out of the model."""

    source: str
    name: str
    videos: int
    paragraphs: int
    boilerplate: int
    share: float
    """boilerplate / paragraphs."""
    examples: list[BoilerplateExample]
