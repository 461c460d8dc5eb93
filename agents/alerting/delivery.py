"""Sends alerts and digests to destinations, and decides which are due, held or given up.

Each destination has its own thread that sends one message after the other, so that a dead or hanging
destination does not delay the others. A delivery is recorded in the log of deliveries before anything else
happens, and is never sent again; a failed one is retried with growing pauses for a week.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import structlog

from agents.alerting.apprise_client import NotDeliveredError
from agents.alerting.config import AlertConfig, Destination
from agents.alerting.messages import LONGEST_TITLE, Message
from streams.errors import Explained
from streams.events import DeliveryRecorded
from streams.logs.delivery_log import DeliveryLog, Noticed, delivery_id
from streams.store.rows.alerts import AlertOfAnyRule

log = structlog.get_logger()
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=1)
GIVEN_UP_AFTER = timedelta(days=7)
PATIENCE = timedelta(minutes=2)
"""A send without an answer for longer than this is recorded as a timeout."""


@dataclass(frozen=True, slots=True)
class Job:
    """A message to be sent now; `compose` builds it as late as possible."""

    delivery_id: str
    what: Literal["alert", "digest"]
    destination: str
    alert_ids: tuple[str, ...]
    title: str
    compose: Callable[[], Message]
    first_at: datetime
    """When the message was first due; `GIVEN_UP_AFTER` counts from here."""
    attempts: int = 0
    until: datetime | None = None
    """The end of the period that a digest covers."""

    def as_record(
        self, state: Any, at: datetime, error: str = "", next_at: datetime | None = None, attempts: int = 0
    ) -> DeliveryRecorded:
        """Return the state of the delivery as an event."""
        return DeliveryRecorded(
            delivery_id=self.delivery_id,
            what=self.what,
            destination=self.destination,
            alert_ids=self.alert_ids,
            title=self.title,
            state=state,
            attempts=attempts,
            error=error,
            next_at=next_at,
            at=at,
            until=self.until,
        )


def notice(rows: Iterable[AlertOfAnyRule], kept: DeliveryLog, now: datetime) -> None:
    """Record when each alert was first seen and whether it is a repeat; `rows`: as of `raised_since`."""
    for row in rows:
        if kept.noticed(row["alert_id"]) is None:
            verdict: Literal["news", "repeat"] = "repeat" if row["repeat"] else "news"
            kept.notice(Noticed(alert_id=row["alert_id"], at=now, verdict=verdict))


def concerns(row: AlertOfAnyRule, destination: Destination, book: AlertConfig) -> bool:
    """Return whether a destination receives an alert, by its rules and their thresholds."""
    rule = row["rule"]
    if rule == "new topic" or not book.rules.of(rule).on:
        return False
    if destination.rules is not None and rule not in destination.rules:
        return False
    if rule == "drift":
        return row["about"] in book.rules.drift.what and row["size"] >= book.rules.drift.at_least
    if rule == "rising":
        rising = book.rules.rising
        return row["recent"] >= rising.at_least_videos and row["size"] * 100 >= rising.at_least_points
    return True


def news_for(
    destination: Destination,
    book: AlertConfig,
    rows: Iterable[AlertOfAnyRule],
    kept: DeliveryLog,
    since: datetime,
) -> Iterator[AlertOfAnyRule]:
    """Yield the alerts for a destination, oldest first: first seen at or after `since`, without repeats.

    An alert of one source and the one that replaces it are one: the first that was delivered, or the latter.
    """
    told = {
        alert_id
        for delivery in kept.deliveries(destination.name)
        if delivery.state == "delivered"
        for alert_id in delivery.alert_ids
    }
    rows = [row for row in rows if row["replaces"] not in told]
    replaced = {row["replaces"] for row in rows if concerns(row, destination, book)}
    for row in sorted(rows, key=lambda row: (row["raised_at"], row["alert_id"])):
        noticed = kept.noticed(row["alert_id"])
        new = noticed is not None and noticed.verdict == "news" and noticed.at >= since
        if new and row["alert_id"] not in replaced and concerns(row, destination, book):
            yield row


def instant_deliveries(  # noqa: PLR0917
    destination: Destination,
    book: AlertConfig,
    rows: Sequence[AlertOfAnyRule],
    kept: DeliveryLog,
    now: datetime,
    compose: Callable[[AlertOfAnyRule], Message],
) -> tuple[list[Job], list[DeliveryRecorded]]:
    """Return the messages to send to a destination now, and the records for those not sent.

    An alert in quiet hours is held until they end; an alert within the cool-down of its rule and subject is
    skipped permanently.
    """
    jobs: list[Job] = []
    records: list[DeliveryRecorded] = []
    told = _told(destination.name, rows, kept)
    for row in news_for(destination, book, rows, kept, kept.since(destination.name, now)):
        known = kept.delivery(delivery_id(destination.name, row["alert_id"]))
        if known is not None and known.state in ("delivered", "skipped"):
            continue
        noticed = kept.noticed(row["alert_id"])
        job = _job(destination, row, known, compose, noticed.at if noticed else now)
        hours = destination.cool_down_hours
        cool_down = book.rules.of(row["rule"]).cool_down if hours is None else timedelta(hours=hours)
        last = told.get(_subject(row))
        if last is not None and now - last < cool_down:
            why = f"same subject sent at {last:%Y-%m-%d %H:%M} UTC, less than {_hours(cool_down)} ago"
            records.append(job.as_record("skipped", now, why, attempts=job.attempts))
            continue
        verdict = _may_be_sent(job, known, destination, now)
        if isinstance(verdict, DeliveryRecorded):
            records.append(verdict)
        elif verdict:
            jobs.append(job)
            told[_subject(row)] = now
    return jobs, records


def may_be_sent(
    job: Job, kept: DeliveryLog, destination: Destination, now: datetime
) -> bool | DeliveryRecorded:
    """Return whether a job may be sent now, or the record of its new state if it is held."""
    return _may_be_sent(job, kept.delivery(job.delivery_id), destination, now)


def _may_be_sent(
    job: Job, known: DeliveryRecorded | None, destination: Destination, now: datetime
) -> bool | DeliveryRecorded:
    if known is not None and known.state in ("delivered", "skipped"):
        return False
    if known is not None and known.state == "failed" and (known.next_at is None or known.next_at > now):
        return False
    quiet = destination.quiet_hours
    ends = quiet.ends_after(now) if quiet else None
    if ends is None:
        return True
    if known is not None and known.state == "held" and known.next_at == ends:
        return False
    return job.as_record("held", now, "quiet hours", ends, job.attempts)


def _job(
    destination: Destination,
    row: AlertOfAnyRule,
    known: DeliveryRecorded | None,
    compose: Callable[[AlertOfAnyRule], Message],
    first_at: datetime,
) -> Job:
    return Job(
        delivery_id=delivery_id(destination.name, row["alert_id"]),
        what="alert",
        destination=destination.name,
        alert_ids=(row["alert_id"],),
        title=row["title"][:LONGEST_TITLE],
        compose=lambda: compose(row),
        first_at=first_at,
        attempts=known.attempts if known else 0,
    )


def _told(
    destination: str, rows: Iterable[AlertOfAnyRule], kept: DeliveryLog
) -> dict[tuple[str, str], datetime]:
    """Return the time of the last delivery to a destination for each rule and subject."""
    subjects = {row["alert_id"]: _subject(row) for row in rows}
    told: dict[tuple[str, str], datetime] = {}
    for delivery in kept.deliveries(destination):
        if delivery.state == "delivered" and delivery.what == "alert":
            for alert_id in delivery.alert_ids:
                if (subject := subjects.get(alert_id)) is not None:
                    told[subject] = max(delivery.at, told.get(subject, delivery.at))
    return told


def _subject(row: AlertOfAnyRule) -> tuple[str, str]:
    """Return the rule and subject of an alert; the cool-down applies to this pair."""
    if row["rule"] in ("lag", "stuck", "dead letters", "silence"):
        return row["rule"], ""
    return row["rule"], str(row["topic_id"] or row["about"] or row["title"])


def pause_after(attempts: int) -> timedelta:
    """Return the pause after a number of failed attempts.

    Example:
        >>> [pause_after(n).total_seconds() / 60 for n in (1, 2, 3, 10)]
        [1.0, 2.0, 4.0, 60.0]
    """
    doublings: int = 2 ** min(max(attempts - 1, 0), 10)
    return min(LONGEST_PAUSE, FIRST_PAUSE * doublings)


def _hours(length: timedelta) -> str:
    return f"{length / timedelta(hours=1):g} hours"


Send = Callable[[str, str, Message], None]
"""Sends a message: (address, destination, message), as `agents.alerting.apprise_client.send`."""


class DeliveryWorker:
    """Sends messages to one destination, one after the other, in a background thread."""

    def __init__(
        self,
        destination: str,
        kept: DeliveryLog,
        outcomes: queue.SimpleQueue[DeliveryRecorded],
        now: Callable[[], datetime],
        send: Send,
    ) -> None:
        self.destination = destination
        self._kept = kept
        self._outcomes = outcomes
        self._now = now
        self._send = send
        self._thread: threading.Thread | None = None
        self._began: datetime | None = None
        self._waiting_for: Job | None = None
        self._said_to_hang = False
        self._failures = 0
        self._rests_until: datetime | None = None

    def is_free(self, now: datetime) -> bool:
        """Return whether it can start a delivery: it is neither busy nor pausing after a failure."""
        return not self.busy and (self._rests_until is None or now >= self._rests_until)

    @property
    def busy(self) -> bool:
        """Return whether its thread is sending."""
        return self._thread is not None and self._thread.is_alive()

    def wait(self, seconds: float) -> None:
        """Wait until its thread has ended, at most `seconds`."""
        if self._thread is not None:
            self._thread.join(seconds)

    def start_delivery(self, jobs: Sequence[Job], address: str) -> None:
        """Send the jobs, those with the fewest attempts first: one that always fails delays no other."""
        ordered = sorted(jobs, key=lambda job: job.attempts)
        self._said_to_hang = False
        name = f"courier {self.destination}"
        self._thread = threading.Thread(target=self._deliver, args=(ordered, address), name=name, daemon=True)
        self._thread.start()

    def mark_timeout(self, now: datetime) -> None:
        """Record a timeout once if the destination hangs; a later answer is recorded as well."""
        job, began = self._waiting_for, self._began
        if not self.busy or job is None or began is None or self._said_to_hang or now - began < PATIENCE:
            return
        self._said_to_hang = True
        self._record(job.as_record("failed", now, "no answer in time, still waiting", now, job.attempts + 1))

    def _deliver(self, jobs: Sequence[Job], address: str) -> None:
        for job in jobs:
            self._began, self._waiting_for = self._now(), job
            try:
                self._send(address, self.destination, job.compose())
            except (NotDeliveredError, Explained) as error:
                self._failed(job, str(error))
                return  # the other jobs wait for the next attempt at this destination
            except Exception as error:
                log.exception("cannot compose a message", destination=self.destination, title=job.title)
                self._failed(job, f"cannot compose the message ({type(error).__name__})")
                continue
            finally:
                self._waiting_for = None
            self._failures, self._rests_until = 0, None
            self._record(job.as_record("delivered", self._now(), attempts=job.attempts + 1))

    def _failed(self, job: Job, why: str) -> None:
        now, attempts = self._now(), job.attempts + 1
        next_at: datetime | None = now + pause_after(attempts)
        self._failures += 1
        self._rests_until = now + pause_after(self._failures)
        if now - job.first_at >= GIVEN_UP_AFTER:
            next_at, why = None, f"given up: {why}"
        log.warning("not delivered", destination=self.destination, why=why, attempts=attempts)
        self._record(job.as_record("failed", now, why, next_at, attempts))

    def _record(self, event: DeliveryRecorded) -> None:
        if self._kept.record(event):
            self._outcomes.put(event)
