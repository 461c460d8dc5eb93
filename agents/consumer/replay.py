"""Replay of dead letters: a message is sent again to its topic, or dropped."""

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
    """Settle a dead letter; the broker has the event when this returns, the store a moment later.

    A settled letter can be settled again: a dropped one can still be replayed.

    Args:
        cluster: the study's broker.
        blobs: holds the messages that were too large for the letter.
        letter: the dead letter.
        action: `replayed` sends the message again, once its cause is fixed; `dropped` does not.
        now: the time of the decision.

    Raises:
        DataError: its topic does not exist any more.
        Unavailable: the broker or the blob store does not answer.
    """
    if action == "replayed":
        topic = BY_NAME.get(letter["topic"])
        if topic is None:
            raise DataError(
                f"its topic {letter['topic']!r} does not exist any more",
                "drop it; discover finds the video again at the next visit to its source",
            )
        key = letter["message_key"].encode() if letter["message_key"] is not None else None
        cluster.send_raw(topic, key, message(blobs, letter))
    cluster.send(DeadLetterSettled(letter_id=letter["letter_id"], action=action, settled_at=now))


def message(blobs: Blobs, letter: WholeDeadLetter) -> bytes:
    """Return the unprocessed message, byte for byte.

    Raises:
        Unavailable: the blob store does not answer.
    """
    if letter["payload_key"]:
        return blobs.get(letter["payload_key"])
    return base64.b64decode(letter["payload"] or "")


def traceback_of(blobs: Blobs, letter: WholeDeadLetter) -> str:
    """Return the traceback of groundswell's last failure; empty if the message itself was at fault."""
    key = traceback_key(letter["letter_id"])
    return blobs.get(key).decode() if blobs.exists(key) else ""
