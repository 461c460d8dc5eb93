"""Log of deliveries, sent and still to be sent, as small files in the blob store.

It is written right after a message was sent, before anything else happens, so a delivered message is never
sent again, whichever process is killed; the database's table is derived from it. Only one process delivers at
a time (it holds a lease), and it keeps the whole log in memory.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, ValidationError

from streams.errors import DataError
from streams.events import AlertRaised, DeliveryRecorded
from streams.events.base import Fact, stable_id
from streams.kafka.codec import decode, encode
from streams.state.blobs import Blobs

FOLDER = "alerting"


class Noticed(Fact):
    """The time at which an alert was first noticed, and whether it is news: decided once, permanently."""

    alert_id: str
    at: AwareDatetime
    verdict: Literal["news", "repeat"]
    """repeat: a rebuilt model raised the alert again for old talks."""


def delivery_id(destination: str, what: str) -> str:
    """Return the id of a delivery to a destination; `what`: an alert's id, or a digest's timestamp."""
    return stable_id("delivery", destination, what)


class DeliveryLog:
    """Noticed alerts, the start time of each destination, and the state of every delivery."""

    def __init__(self, blobs: Blobs) -> None:
        """Create an empty log; `load` reads it."""
        self._blobs = blobs
        self._lock = threading.Lock()
        self._noticed: dict[str, Noticed] = {}
        self._since: dict[str, datetime] = {}
        self._deliveries: dict[str, DeliveryRecorded] = {}

    def load(self) -> None:
        """Read the whole log; damaged files are skipped, and the error of the last one is raised at the end.

        Raises:
            DataError: a file cannot be read. All other files were read.
        """
        damaged: DataError | None = None
        with self._lock:
            self._noticed, self._since, self._deliveries = {}, {}, {}
            for key in self._blobs.keys(FOLDER):
                try:
                    self._take(key)
                except (ValueError, KeyError, TypeError, DataError, ValidationError) as error:
                    damaged = DataError(
                        f"the blob {key} in {self._blobs.url} is damaged ({error})",
                        "delete it: at worst one message is sent twice",
                    )
        if damaged is not None:
            raise damaged

    def _take(self, key: str) -> None:
        kind = key.split("/")[1]
        if kind == "noticed":
            noticed = Noticed.model_validate_json(self._blobs.get(key))
            self._noticed[noticed.alert_id] = noticed
        elif kind == "since":
            about = json.loads(self._blobs.get(key))
            self._since[about["destination"]] = datetime.fromisoformat(about["since"])
        elif kind == "deliveries":
            event = decode(self._blobs.get(key))
            if not isinstance(event, DeliveryRecorded):
                raise ValueError(f"it holds a {type(event).__name__}")
            self._deliveries[event.delivery_id] = event

    def noticed(self, alert_id: str) -> Noticed | None:
        """Return when an alert was first noticed, or None."""
        return self._noticed.get(alert_id)

    def notice(self, noticed: Noticed) -> None:
        """Store that an alert was noticed."""
        key = f"{FOLDER}/noticed/{stable_id(noticed.alert_id)}.json"
        self._blobs.put(key, noticed.model_dump_json().encode())
        self._noticed[noticed.alert_id] = noticed

    def since(self, destination: str, now: datetime) -> datetime:
        """Return the start time of a destination; a new one gets `now`, which is stored."""
        if destination not in self._since:
            about = json.dumps({"destination": destination, "since": now.isoformat()})
            self._blobs.put(f"{FOLDER}/since/{stable_id(destination)}.json", about.encode())
            self._since[destination] = now
        return self._since[destination]

    def delivery(self, delivery_id: str) -> DeliveryRecorded | None:
        """Return the state of a delivery; None if nothing was tried or held yet."""
        with self._lock:
            return self._deliveries.get(delivery_id)

    def deliveries(self, destination: str | None = None) -> list[DeliveryRecorded]:
        """Return the state of every delivery, or of those to one destination."""
        with self._lock:
            return [
                each
                for each in self._deliveries.values()
                if destination is None or each.destination == destination
            ]

    def record(self, event: DeliveryRecorded) -> bool:
        """Store the state of a delivery durably; return False if it was delivered already."""
        with self._lock:
            known = self._deliveries.get(event.delivery_id)
            if known is not None and known.state == "delivered":
                return False
            self._blobs.put(f"{FOLDER}/deliveries/{event.delivery_id}.json", encode(event))
            self._deliveries[event.delivery_id] = event
            return True

    def keep_raised(self, event: AlertRaised) -> None:
        """Store an alert that the clock raised before it is sent, because nothing could raise it again."""
        self._blobs.put(f"{FOLDER}/raised/{event.event_id}.json", encode(event))

    def raised_but(self, alert_ids: Collection[str]) -> Iterator[AlertRaised]:
        """Yield the alerts that the clock raised, except these."""
        for key in self._blobs.keys(f"{FOLDER}/raised"):
            if key.rsplit("/", 1)[-1].removesuffix(".json") not in alert_ids:
                event = decode(self._blobs.get(key))
                if isinstance(event, AlertRaised):
                    yield event

    def memory(self) -> str | None:
        """Return the state of the alert watch as JSON; None before its first check."""
        key = f"{FOLDER}/watch.json"
        return self._blobs.get(key).decode() if self._blobs.exists(key) else None

    def remember(self, memory: str) -> None:
        """Store the state of the alert watch."""
        self._blobs.put(f"{FOLDER}/watch.json", memory.encode())
