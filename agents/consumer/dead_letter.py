"""Dead letters: the record of a message that an agent could not process, with the complete message."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime

from models.errors import BadInput
from streams.errors import DataError
from streams.events import DeadLettered, stable_id
from streams.state.attempts import RepeatedDeathError
from streams.state.blobs import Blobs

INLINE_PAYLOAD = 64 * 1024
"""Maximum bytes of a message inside the letter; a longer one is stored in the blob store."""


@dataclass(frozen=True, slots=True)
class Position:
    """The position of an event: offsets mean something only within one log."""

    log_id: str
    topic: str
    partition: int
    offset: int


def traceback_key(letter_id: str) -> str:
    """Return the blob key of a letter's traceback, which exists if groundswell itself failed."""
    return f"dead-letters/{letter_id}.traceback"


def dead_letter(
    blobs: Blobs,
    agent: str,
    at: Position,
    *,
    payload: bytes,
    error: DataError | BadInput,
    now: datetime,
    video_id: str | None = None,
    message_key: bytes | None = None,
) -> DeadLettered:
    """Return the dead letter of a message; store a too large payload in the blob store first.

    Args:
        blobs: the study's blob store.
        agent: the agent that could not process the message.
        at: the position of the message.
        payload: the bytes of the message.
        error: why it could not be processed.
        now: the time of the failure.
        video_id: the video that it belongs to, if known.
        message_key: the key of the message, if it has one.
    """
    blob = None
    if len(payload) > INLINE_PAYLOAD:
        name = stable_id(agent, at.log_id, at.topic, at.partition, at.offset)
        blob = blobs.put(f"dead-letters/{name}", payload)
    letter = DeadLettered(
        agent=agent,
        cause=error.cause,
        cure=error.cure,
        log_id=at.log_id,
        topic=at.topic,
        partition=at.partition,
        offset=at.offset,
        video_id=video_id,
        message_key=None if message_key is None else message_key.decode(errors="replace"),
        payload=None if blob else base64.b64encode(payload).decode(),
        payload_blob=blob,
        failed_at=now,
    )
    if isinstance(error, RepeatedDeathError):
        blobs.put(traceback_key(letter.event_id), error.traceback.encode(errors="replace"))
    return letter
