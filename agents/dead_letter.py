"""Makes the dead letter of a message that an agent could not process; nothing of the message is lost."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import TYPE_CHECKING, Any

from models.errors import BadInput
from streams.attempts import RepeatedDeathError
from streams.blobs import Blobs
from streams.errors import DataError
from streams.events import DeadLettered, Event, VideoEvent, stable_id

if TYPE_CHECKING:
    from agents.stage import Position

INLINE_PAYLOAD = 64 * 1024
"""Bytes of a message that are kept in the letter itself; a longer one goes to the blobs."""


def traceback_key(letter_id: str) -> str:
    """Return where the traceback of a letter lies, if groundswell itself failed."""
    return f"dead-letters/{letter_id}.traceback"


def dead_letter(
    blobs: Blobs,
    agent: str,
    at: Position,
    *,
    message: Any,
    event: Event | None,
    error: DataError | BadInput,
    now: datetime,
) -> DeadLettered:
    """Return the letter, once what is too large for it lies in the blobs.

    Args:
        blobs: of the study.
        agent: who could not process it.
        at: where the message lies.
        message: Faust's, with its bytes.
        event: what it holds, where it could be read.
        error: why it could not be processed.
        now: when.
    """
    payload: bytes = message.value or b""
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
        video_id=event.key if isinstance(event, VideoEvent) else None,
        message_key=message.key.decode(errors="replace") if isinstance(message.key, bytes) else None,
        payload=None if blob else base64.b64encode(payload).decode(),
        payload_blob=blob,
        failed_at=now,
    )
    if isinstance(error, RepeatedDeathError):
        blobs.put(traceback_key(letter.event_id), error.traceback.encode(errors="replace"))
    return letter
