"""Base class of every event: a frozen value with a version, a key and an id made of its content."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, model_validator

from streams.intake import admitted

SCHEMA_VERSION = 1


def stable_id(*parts: object) -> str:
    """Return 32 hex digits that depend only on `parts`."""
    return hashlib.sha256("\x1f".join(str(part) for part in parts).encode()).hexdigest()[:32]


class Fact(BaseModel):
    """A frozen value inside an event; unknown fields of later minor versions are ignored.

    The one door through which text and dates enter, see `streams.intake`: however a value is made (by a lane,
    as a copy, from a message that an older version wrote), its text is valid and its moments can be stored.

    Raises:
        DataError: a moment lies out of range.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    @model_validator(mode="after")
    def _enters(self) -> Self:
        for name, value in self.__dict__.items():
            if (entered := admitted(value)) is not value:
                self.__dict__[name] = entered  # frozen for others; nobody has seen it yet
        return self

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy; what is updated enters by the same door."""
        entering = {name: admitted(value) for name, value in (update or {}).items()}
        return super().model_copy(update=entering, deep=deep)


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
