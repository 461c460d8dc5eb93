"""Rows of notifications: deliveries, their status by destination, and the figures that they report."""

from __future__ import annotations

from datetime import datetime

from typing_extensions import TypedDict

from streams.store.rows.talks import Heard


class Delivery(TypedDict):
    """A message to one destination."""

    delivery_id: str
    what: str
    """alert or digest."""
    destination: str
    alert_ids: list[str]
    title: str
    state: str
    """held, failed, delivered or skipped."""
    attempts: int
    error: str
    next_at: datetime | None
    """When it is tried again; None: never."""
    at: datetime
    until: datetime | None


class DeliveryStatus(TypedDict):
    """Deliveries to one destination, by their state of now."""

    destination: str
    delivered: int
    failed: int
    held: int
    skipped: int
    waiting: int
    """Those of the four that are tried (again) later."""
    delivered_at: datetime | None
    """When the last one arrived; None: never."""
    latest_at: datetime
    """Of the newest delivery, whatever its state; so are the following."""
    latest_state: str
    latest_error: str


class NewTalk(Heard):
    """A talk that came in."""


class CorpusGrowth(TypedDict):
    """Talks that were first seen in a period and learned."""

    talks: int
    hours: float
    sources: int
    """Channels or shows that the talks come from."""


class Growth(CorpusGrowth):
    """Talks that were first seen in a period and learned, and some of them."""

    shown: list[NewTalk]
    """Up to five, the newest first."""


class LatestLetter(TypedDict):
    """The newest open dead letter."""

    cause: str
    cure: str


class FailingOfLate(TypedDict):
    """A source that failed in the last 24 hours."""

    source_id: str
    failures: int
    cause: str
    cure: str
    latest: datetime
    payload: str
    """The message, in base64."""


class SystemCounts(TypedDict):
    """Counts that system rules look at."""

    model_version: str
    videos: int
    waiting: int
    """Talks on their way."""
    dead_letters: int
    """Open ones."""
    last_sighted: datetime | None
    """When a watched source last showed a talk; None: never."""
    relearning: int
    """Talks that the newest epoch's model has not learned yet."""


class VitalSigns(SystemCounts):
    """The figures that system rules look at."""

    latest_letter: LatestLetter | None
    failing: list[FailingOfLate]
