"""The log of deliveries: what people were told and what is still to be told, small files in the blob store.

It is written where a message was sent, before anything else happens, so that what it calls delivered is never
sent again, whatever is killed; the database's table follows it. Only one process delivers at a time (a
lease), and that one keeps the whole log in memory.
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
    """The time the clock first saw an alert, and whether it is news: decided once, for good."""

    alert_id: str
    at: AwareDatetime
    verdict: Literal["news", "repeat"]
    """repeat: a model that was built anew says again what talks said long ago."""


def delivery_id(destination: str, what: str) -> str:
    """Return the id of telling a destination of an alert (its id), or of sending a digest (its moment)."""
    return stable_id("delivery", destination, what)


class DeliveryLog:
    """Alerts as they were noticed, destinations since when they are told, and every delivery as it stands."""

    def __init__(self, blobs: Blobs) -> None:
        """Read nothing yet: `load` does."""
        self._blobs = blobs
        self._lock = threading.Lock()
        self._noticed: dict[str, Noticed] = {}
        self._since: dict[str, datetime] = {}
        self._deliveries: dict[str, DeliveryRecorded] = {}

    def load(self) -> None:
        """Read the whole log; what is damaged is left out, and the error of the last one is raised after.

        Raises:
            DataError: a file cannot be read. The rest was.
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
                        "delete it: at worst one message comes twice",
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
        """Return when an alert was first seen, or None."""
        return self._noticed.get(alert_id)

    def notice(self, noticed: Noticed) -> None:
        """Keep that an alert was seen."""
        key = f"{FOLDER}/noticed/{stable_id(noticed.alert_id)}.json"
        self._blobs.put(key, noticed.model_dump_json().encode())
        self._noticed[noticed.alert_id] = noticed

    def since(self, destination: str, now: datetime) -> datetime:
        """Return since when a destination is told; `now` where it is new, and that is kept."""
        if destination not in self._since:
            about = json.dumps({"destination": destination, "since": now.isoformat()})
            self._blobs.put(f"{FOLDER}/since/{stable_id(destination)}.json", about.encode())
            self._since[destination] = now
        return self._since[destination]

    def delivery(self, delivery_id: str) -> DeliveryRecorded | None:
        """Return how a delivery stands; None where nothing was tried or held yet."""
        with self._lock:
            return self._deliveries.get(delivery_id)

    def deliveries(self, destination: str | None = None) -> list[DeliveryRecorded]:
        """Return every delivery as it stands, or those of one destination."""
        with self._lock:
            return [
                each
                for each in self._deliveries.values()
                if destination is None or each.destination == destination
            ]

    def record(self, event: DeliveryRecorded) -> bool:
        """Keep how a delivery stands, durable when it returns; False where it was delivered already."""
        with self._lock:
            known = self._deliveries.get(event.delivery_id)
            if known is not None and known.state == "delivered":
                return False
            self._blobs.put(f"{FOLDER}/deliveries/{event.delivery_id}.json", encode(event))
            self._deliveries[event.delivery_id] = event
            return True

    def keep_raised(self, event: AlertRaised) -> None:
        """Keep an alert that was raised by the clock, before it is sent: nothing else could say it again."""
        self._blobs.put(f"{FOLDER}/raised/{event.event_id}.json", encode(event))

    def raised_but(self, alert_ids: Collection[str]) -> Iterator[AlertRaised]:
        """Yield alerts that were raised by the clock and are not among these."""
        for key in self._blobs.keys(f"{FOLDER}/raised"):
            if key.rsplit("/", 1)[-1].removesuffix(".json") not in alert_ids:
                event = decode(self._blobs.get(key))
                if isinstance(event, AlertRaised):
                    yield event

    def memory(self) -> str | None:
        """Return what the watch remembers, as JSON; None before its first look."""
        key = f"{FOLDER}/watch.json"
        return self._blobs.get(key).decode() if self._blobs.exists(key) else None

    def remember(self, memory: str) -> None:
        """Keep what the watch remembers."""
        self._blobs.put(f"{FOLDER}/watch.json", memory.encode())
