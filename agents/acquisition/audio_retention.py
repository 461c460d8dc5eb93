"""Retention: deletes the audio of transcribed talks after a number of days; keeps the transcripts."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import structlog

from streams.errors import DataError
from streams.state.blobs import Blobs
from streams.talks.audio_index import ledgers
from streams.talks.transcripts import FOLDER, SOURCE_DIGITS

log = structlog.get_logger()


def retain(blobs: Blobs, keep_days: float, now: datetime) -> int:
    """Delete fetched audio that is older than `keep_days` and transcribed; return the number of talks.

    The transcript in the blob store proves that the audio is no longer needed; the database is not asked.
    If the process is killed in between, the next call completes the deletion. Accepting the talk again
    fetches its audio again. Audio that a person handed in is never deleted.

    Args:
        blobs: the study's blob store.
        keep_days: days; 0 keeps everything.
        now: the end of the age. An earlier version stored no date; the age of its audio counts from the
            first call.
    """
    if not keep_days:
        return 0
    deleted = 0
    for ledger in list(ledgers(blobs)):
        entry = _entry(blobs, ledger)
        if entry is None:
            continue
        stored_at = entry.get("stored_at")
        if stored_at is None:
            blobs.put(ledger, json.dumps(entry | {"stored_at": now.isoformat()}).encode())
        elif now - datetime.fromisoformat(stored_at) > timedelta(days=keep_days) and _served(blobs, entry):
            blobs.delete(str(entry["key"]))  # first: killed in between, the next call still finds the entry
            blobs.delete(ledger)
            deleted += 1
    if deleted:
        log.info("deleted audio of transcribed talks", talks=deleted, older_than_days=keep_days)
    return deleted


def _served(blobs: Blobs, entry: dict[str, Any]) -> bool:
    """Return whether a transcript of exactly this audio exists."""
    talk = str(entry["key"]).rpartition("/")[2].partition(".")[0]
    ending = f"-{str(entry['sha256'])[:SOURCE_DIGITS]}.json"
    return any(key.endswith(ending) for key in blobs.keys(f"{FOLDER}/{talk}"))


def _entry(blobs: Blobs, ledger: str) -> dict[str, Any] | None:
    try:
        entry: dict[str, Any] = json.loads(blobs.get(ledger))
        if entry.get("stored_at") is not None:
            datetime.fromisoformat(entry["stored_at"])
        return entry if {"key", "sha256"} <= entry.keys() else None
    except DataError:
        return None  # another worker deleted it
    except (ValueError, TypeError, AttributeError):
        log.warning("audio is never deleted: its ledger entry is damaged", key=ledger)
        return None
