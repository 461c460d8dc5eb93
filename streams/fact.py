"""What every event is: a frozen value with a version, a key and an id made of what it says."""

from __future__ import annotations

import hashlib

from pydantic import BaseModel, ConfigDict

SCHEMA_VERSION = 1


def stable_id(*parts: object) -> str:
    """Return 32 hex digits that depend only on `parts`."""
    return hashlib.sha256("\x1f".join(str(part) for part in parts).encode()).hexdigest()[:32]


class Fact(BaseModel):
    """A frozen value inside an event; unknown fields of later minor versions are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Event(Fact):
    """Base of all events."""

    schema_version: int = SCHEMA_VERSION

    @property
    def key(self) -> str:
        """Kafka key: events with the same key stay in order."""
        raise TypeError(f"{type(self).__name__} has no key")

    def _identity(self) -> tuple[object, ...]:
        return (self.key,)

    @property
    def event_id(self) -> str:
        """Deterministic id of what this event says."""
        return stable_id(type(self).__name__, *self._identity())
