"""The alert service: evaluates rules and delivers alerts and digests in rounds, beside the agents.

It runs beside the `alert` agent: in the one process of an embedded study, or in one of the alert workers,
which a lease selects. Its errors are logged, and stop neither an agent nor the service.
"""

from __future__ import annotations

import asyncio
import os
import queue
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from agents.alerting import apprise_client, config, config_file, delivery, messages
from agents.alerting import digest as digests
from agents.alerting.config import AlertConfig, Destination
from agents.alerting.delivery import DeliveryWorker, Job, Send
from agents.alerting.digest import Digest
from agents.alerting.watch import AlertWatch
from agents.queries.registry import asking
from streams.errors import DataError, Explained
from streams.events import DeliveryRecorded, Event
from streams.logs.delivery_log import DeliveryLog, delivery_id
from streams.settings import Settings
from streams.state.blobs import Blobs
from streams.state.leases import Lease
from streams.store.operations import deliveries
from streams.store.rows.alerts import AlertOfAnyRule
from streams.store.warehouse import Warehouse
from streams.timestamps import EARLIEST

log = structlog.get_logger()
PAUSE_S = 15.0
"""The pause between two rounds (seconds)."""
LOOK_EVERY = timedelta(minutes=1)
"""The interval at which the rules are evaluated."""
LEASE_S = 4 * PAUSE_S
PATIENCE_S = 10.0
"""How long a round waits for a ClickHouse server (seconds); the next round asks again."""
MOST_ROWS = 2000
EMPTY = "nothing happened that day"
"""The reason of a skipped daily digest; stored, and compared with `error`."""


class AlertService:
    """Alerts and digests of one study."""

    def __init__(
        self,
        settings: Settings,
        blobs: Blobs,
        warehouse: Warehouse,
        *,
        now: Callable[[], datetime],
        web_url: str = "",
        environment: Mapping[str, str] = os.environ,
        send: Send = apprise_client.send,
    ) -> None:
        """Read nothing yet. `web_url`: the address of this process's page, if the settings name none."""
        self._settings = settings
        self._warehouse = warehouse
        self._now = now
        self._web_url = settings.web_url or web_url
        self._environment = environment
        self._send = send
        self.kept = DeliveryLog(blobs)
        self._watch = AlertWatch(warehouse, self.kept)
        owner = "embedded" if settings.embedded_clickhouse else uuid.uuid4().hex
        self._lease = Lease(blobs, "alerting", owner, LEASE_S, time.time)
        self._holds = False
        self._book = AlertConfig()
        self._book_read: float | None = None
        self._complained = ""
        self._looked_at: datetime | None = None
        self._couriers: dict[str, DeliveryWorker] = {}
        self._outcomes: queue.SimpleQueue[DeliveryRecorded] = queue.SimpleQueue()

    async def run(self, send: Callable[[Event], Awaitable[None]], pause_s: float = PAUSE_S) -> None:
        """Run rounds forever; `send` sends their events to the log."""
        while True:
            try:
                for event in await asyncio.to_thread(self.round):
                    await send(event)
                self._complained = ""
            except asyncio.CancelledError:
                raise
            except Exception as error:
                self._complain(error)
            await asyncio.sleep(pause_s)

    def _complain(self, error: Exception) -> None:
        """Log an error once, not in every round."""
        if str(error) != self._complained:
            self._complained = str(error)
            log.warning(
                "alerts paused", cause=str(error)[:300], exc_info=not isinstance(error, Explained) and error
            )

    def close(self) -> None:
        """Release the lease, so that another process can take over."""
        if self._holds:
            self._lease.release()

    def round(self) -> list[Event]:
        """Run one round and return its events. It waits for the database, but not for destinations."""
        if not self._lease.acquire():
            self._holds = False
            return []
        now, events = self._now(), list[Event]()
        if not self._holds:
            self._load()
            events.extend(self._missing())
            self._holds = True
        self._read_book()
        if self._looked_at is None or now - self._looked_at >= LOOK_EVERY:
            events.extend(self._watch.look(self._book.rules, now))
            self._looked_at = now
        self._post(now)
        while not self._outcomes.empty():
            events.append(self._outcomes.get())
        return events

    def wait(self, seconds: float) -> list[Event]:
        """Wait until all deliveries have ended, at most `seconds` per destination; return the outcomes."""
        for courier in self._couriers.values():
            courier.wait(seconds)
        events: list[Event] = []
        while not self._outcomes.empty():
            events.append(self._outcomes.get())
        return events

    def _load(self) -> None:
        try:
            self.kept.load()
        except DataError as error:
            log.warning("delivery log is damaged", cause=error.cause, cure=error.cure)

    def _missing(self) -> list[Event]:
        """Return the logged events that never reached the database, because a process was killed."""
        stored = deliveries.delivery_states(self._warehouse)
        late: list[Event] = [
            each
            for each in self.kept.deliveries()
            if stored.get(each.delivery_id) != (each.state, each.attempts)
        ]
        return [*self._watch.missing(), *late]

    def _read_book(self) -> None:
        """Reload the configuration if its file changed; keep the last valid one while the file is wrong."""
        path = self._settings.alerts_file
        changed = path.stat().st_mtime if path.exists() else 0.0
        if changed == self._book_read:
            return
        try:
            self._book = config_file.read(path, must_exist=bool(self._settings.alerts))
        except Explained as error:
            log.error("alerts: wrong file, using the last valid one", cause=error.cause, cure=error.cure)
        self._book_read = changed

    def _post(self, now: datetime) -> None:
        book = self._book
        rules = [book.rules.of(rule).cool_down for rule in config.RULES]
        fresh = timedelta(days=book.fresh_days)
        since = now - max(fresh, *rules) - delivery.GIVEN_UP_AFTER
        rows = deliveries.raised_since(self._warehouse, max(since, EARLIEST), MOST_ROWS)
        new = [row for row in rows if row["raised_at"] and row["raised_at"] >= now - fresh]
        delivery.notice(new, self.kept, now)
        for destination in book.destinations:
            courier = self._couriers.get(destination.name)
            if courier is None:
                courier = DeliveryWorker(destination.name, self.kept, self._outcomes, self._now, self._send)
                self._couriers[destination.name] = courier
            courier.mark_timeout(now)
            if not courier.is_free(now):
                continue
            jobs, records = self._due(destination, rows, now)
            for record in records:
                if self.kept.record(record):
                    self._outcomes.put(record)
            if jobs:
                self._start_delivery(courier, destination, jobs, now)

    def _start_delivery(
        self, courier: DeliveryWorker, destination: Destination, jobs: Sequence[Job], now: datetime
    ) -> None:
        try:
            address = destination.address(self._environment, self._settings.alerts_file.parent)
        except Explained as error:
            for job in jobs:
                pause = delivery.pause_after(job.attempts + 1)
                record = job.as_record("failed", now, str(error), now + pause, job.attempts + 1)
                if self.kept.record(record):
                    self._outcomes.put(record)
            return
        courier.start_delivery(jobs, address)

    def _due(
        self, destination: Destination, rows: Sequence[AlertOfAnyRule], now: datetime
    ) -> tuple[list[Job], list[DeliveryRecorded]]:
        if destination.schedule is not None:
            return self._digest_due(destination, rows, now)
        return delivery.instant_deliveries(destination, self._book, rows, self.kept, now, self._compose)

    def _compose(self, row: AlertOfAnyRule) -> messages.Message:
        more = messages.more_quotes(self._warehouse, row)
        return messages.of_alert(row, self._settings.study, self._web_url, more)

    def _digest_due(
        self, destination: Destination, rows: Sequence[AlertOfAnyRule], now: datetime
    ) -> tuple[list[Job], list[DeliveryRecorded]]:
        """Return the digest if one is due; after several missed ones, one that covers all their periods."""
        schedule = destination.schedule
        assert schedule is not None and destination.send != "instant"
        since, due = self.kept.since(destination.name, now), schedule.latest(now)
        if due <= since:
            return [], []
        known = self.kept.delivery(delivery_id(destination.name, due.isoformat()))
        first = max(since, self._last_digest(destination.name, due) or since)
        told = [
            row
            for row in delivery.news_for(destination, self._book, rows, self.kept, first)
            if (noticed := self.kept.noticed(row["alert_id"])) is not None and noticed.at < due
        ]
        every = destination.send

        def gather() -> Digest:
            return digests.gather(
                asking(self._warehouse),
                told,
                study=self._settings.study,
                web_url=self._web_url,
                every=every,
                first=first,
                last=due,
            )

        job = Job(
            delivery_id=delivery_id(destination.name, due.isoformat()),
            what="digest",
            destination=destination.name,
            alert_ids=tuple(row["alert_id"] for row in told),
            title=f"{destination.send} digest of {due:%Y-%m-%d}",
            compose=lambda: digests.write(gather()),
            first_at=due,
            attempts=known.attempts if known else 0,
            until=due,
        )
        verdict = delivery.may_be_sent(job, self.kept, destination, now)
        if isinstance(verdict, DeliveryRecorded):
            return [], [verdict]
        if verdict and every == "daily" and not told and gather().is_empty:
            return [], [job.as_record("skipped", now, EMPTY)]
        return ([job] if verdict else []), self._overtaken(destination.name, due, now)

    def _last_digest(self, destination: str, due: datetime) -> datetime | None:
        """Return the end of the last digest that the destination received or that was empty."""
        sent = (each for each in self.kept.deliveries(destination) if each.what == "digest")
        told = (each.until for each in sent if each.state == "delivered" or each.error == EMPTY)
        return max((until for until in told if until and until < due), default=None)

    def _overtaken(self, destination: str, due: datetime, now: datetime) -> list[DeliveryRecorded]:
        """Return records that skip earlier undelivered digests: the next one covers their periods."""
        return [
            each.model_copy(update={"state": "skipped", "error": "covered by the next digest", "at": now})
            for each in self.kept.deliveries(destination)
            if each.what == "digest" and each.state in ("held", "failed") and each.until and each.until < due
        ]
