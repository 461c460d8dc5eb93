"""Append-only logs of events in the blob store: one small file per event.

The embedded broker loses its messages when it ends, and a cluster's log can be lost. So people's decisions
are appended here before they are sent: this log is the source of truth, and the database is derived from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import ClassVar, Generic, TypeVar, cast

from streams.errors import DataError
from streams.events import Event
from streams.kafka.codec import decode, encode
from streams.state.blobs import Blobs

E = TypeVar("E", bound=Event)


class EventLog(Generic[E]):
    """All events of one class in a study. A subclass sets the class, the folder and the timestamp's field."""

    kind: ClassVar[type[Event]]
    folder: ClassVar[str]
    timestamp: ClassVar[str]
    """Name of the event's field with the time of the decision."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    def append(self, event: E) -> None:
        """Append an event durably. Idempotent."""
        self._blobs.put(f"{self._folder_of(event)}/{event.event_id}.json", encode(event))

    def events(self) -> list[E]:
        """Return every event, oldest first.

        Raises:
            DataError: a file is damaged.
        """
        return self.ordered(self._read(self.keys()))

    def keys(self) -> list[str]:
        """Return the blob keys of the events, which is cheaper than reading them."""
        return list(self._blobs.keys(self.folder))

    def any(self) -> bool:
        """Return whether there is any event."""
        return any(True for _ in self._blobs.keys(self.folder))

    @classmethod
    def ordered(cls, events: Iterable[E]) -> list[E]:
        """Return events oldest first, in the same order on every machine."""
        return sorted(events, key=lambda event: (cls.time_of(event), event.event_id))

    @classmethod
    def time_of(cls, event: E) -> datetime:
        """Return when an event was decided."""
        decided_at: datetime = getattr(event, cls.timestamp)
        return decided_at

    def _folder_of(self, _: E) -> str:
        return self.folder

    def _read(self, keys: Iterable[str]) -> Iterator[E]:
        for key in keys:
            event = decode(self._blobs.get(key))
            if not isinstance(event, self.kind):
                raise DataError(
                    f"{key} in {self._blobs.url} holds {type(event).__name__}, not {self.kind.__name__}",
                    "restore it from a backup, or delete it",
                )
            yield cast("E", event)
