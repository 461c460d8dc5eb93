"""Wire format of events: one JSON object per message, at most `MESSAGE_LIMIT` bytes."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from streams.errors import DataError
from streams.events import SCHEMA_VERSION, Event
from streams.kafka.topics import TOPIC_OF

MESSAGE_LIMIT = 900_000
"""Bytes. Larger content travels as a pointer to a blob, because Kafka's default limit is 1 MB."""

KINDS: dict[str, type[Event]] = {kind.__name__: kind for kind in TOPIC_OF}
"""The class of every event that travels through Kafka, by name."""


class Envelope(BaseModel):
    """An event on the wire: {"kind", "event_id", "schema_version", …fields}."""

    model_config = ConfigDict(extra="ignore")
    kind: str
    schema_version: int


def encode(event: Event) -> bytes:
    """Return the event's wire form.

    Raises:
        DataError: the message would be over `MESSAGE_LIMIT`.
    """
    body: dict[str, Any] = {"kind": type(event).__name__, "event_id": event.event_id}
    body.update(event.model_dump(mode="json"))
    wire = _canonical(body)
    if len(wire) > MESSAGE_LIMIT:
        raise DataError(
            f"the {body['kind']} of {event.key} would be a message of {len(wire):,} bytes, "
            f"over the limit of {MESSAGE_LIMIT:,}",
            "shorten its description or metadata at the source, then replay",
        )
    return wire


def decode(wire: bytes | None) -> Event:
    """Return the event in a message.

    Raises:
        DataError: it is empty, over the limit, not JSON, not an event, from a later schema, or invalid.
    """
    if not wire:
        raise DataError("the message is empty", "drop it; groundswell sends no tombstones to this topic")
    if len(wire) > MESSAGE_LIMIT:
        raise DataError(
            f"the message has {len(wire):,} bytes, over the limit of {MESSAGE_LIMIT:,}",
            "send large content as a blob and a pointer to it (groundswell ingest does), then drop this one",
        )
    try:
        envelope = Envelope.model_validate_json(wire)
    except ValidationError as error:
        first = error.errors()[0]
        json_broken = first["type"].startswith("json")
        raise DataError(
            "the message is not JSON" if json_broken else f"the message is not an event ({_where(first)})",
            "find the program that wrote it (its topic, partition and offset are above), then drop it",
        ) from error
    if envelope.schema_version > SCHEMA_VERSION:
        raise DataError(
            f"schema version {envelope.schema_version} of {envelope.kind} is newer than "
            f"this groundswell understands ({SCHEMA_VERSION})",
            "upgrade this worker, then replay",
        )
    kind = KINDS.get(envelope.kind)
    if kind is None:
        raise DataError(
            f"there is no event named {envelope.kind!r}", "upgrade this worker if it is new, else drop it"
        )
    try:
        return kind.model_validate_json(wire)
    except ValidationError as error:
        raise DataError(
            f"the {envelope.kind} is invalid ({_where(error.errors()[0])})",
            "correct the program that sent it, send it again, and drop this one",
        ) from error


def _canonical(body: dict[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _where(error: Any) -> str:
    path = ".".join(str(step) for step in error["loc"]) or "message"
    return f"{path}: {error['msg']}"
