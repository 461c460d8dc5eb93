"""Base classes of events: immutable values with a schema version, a Kafka key and a content-based id."""

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
    """An immutable value, or part of one; unknown fields of later minor versions are ignored.

    It validates text and dates with `streams.intake`: however a value is made (by a lane, as a copy, or from
    a message of an older version), its text is valid and the database can hold its timestamps.

    Raises:
        DataError: a timestamp is out of range.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    @model_validator(mode="after")
    def _enters(self) -> Self:
        for name, value in self.__dict__.items():
            if (entered := admitted(value)) is not value:
                self.__dict__[name] = entered  # despite `frozen`: nobody has a reference yet
        return self

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy; updated fields are validated as in the constructor."""
        entering = {name: admitted(value) for name, value in (update or {}).items()}
        return super().model_copy(update=entering, deep=deep)


class Event(Fact):
    """Base class of all events."""

    schema_version: int = SCHEMA_VERSION

    @property
    def key(self) -> str:
        """Kafka key: events with the same key stay in order."""
        raise TypeError(f"{type(self).__name__} has no key")

    def _identity(self) -> tuple[object, ...]:
        return (self.key,)

    @property
    def event_id(self) -> str:
        """Deterministic id of the event's content."""
        return stable_id(type(self).__name__, *self._identity())
