"""settle: a dead letter is sent again to where it came from, or given up."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Literal

from agents.consumer.dead_letter import traceback_key
from streams.errors import DataError
from streams.events import DeadLetterSettled
from streams.kafka.admin import Cluster
from streams.kafka.topics import BY_NAME
from streams.state.blobs import Blobs
from streams.store.rows.operations import WholeDeadLetter

Action = Literal["replayed", "dropped"]


def settle(cluster: Cluster, blobs: Blobs, letter: WholeDeadLetter, action: Action, now: datetime) -> None:
    """Settle a dead letter; the broker has it when this returns, the store a moment later.

    One that was settled before can be settled again: what was dropped can still be replayed.

    Args:
        cluster: the study's broker.
        blobs: holds messages that were too large for the letter.
        letter: the dead letter.
        action: replayed, after its cause is mended; or dropped.
        now: when.

    Raises:
        DataError: it cannot be replayed.
        Unavailable: the broker or the blobs do not answer.
    """
    if action == "replayed":
        topic = BY_NAME.get(letter["topic"])
        if topic is None:
            raise DataError(
                f"there is no topic {letter['topic']!r} any more to send it to",
                "drop it; what it was about is seen again when its source is looked at",
            )
        key = letter["message_key"].encode() if letter["message_key"] is not None else None
        cluster.send_raw(topic, key, message(blobs, letter))
    cluster.send(DeadLetterSettled(letter_id=letter["letter_id"], action=action, settled_at=now))


def message(blobs: Blobs, letter: WholeDeadLetter) -> bytes:
    """Return the message that could not be processed, as it was.

    Raises:
        Unavailable: the blobs do not answer.
    """
    if letter["payload_key"]:
        return blobs.get(letter["payload_key"])
    return base64.b64decode(letter["payload"] or "")


def traceback_of(blobs: Blobs, letter: WholeDeadLetter) -> str:
    """Return where groundswell failed the last of several times; empty where the message was at fault."""
    key = traceback_key(letter["letter_id"])
    return blobs.get(key).decode() if blobs.exists(key) else ""
