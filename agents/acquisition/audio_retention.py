"""Retention: audio of talks that are transcribed is deleted after so many days; the transcript stays."""

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
    """Delete fetched audio that is older than `keep_days` and has its transcript; return how many talks'.

    The transcript is what shows that the audio has served, also where the database is not at hand. A kill
    in between is made good by the next call. Who accepts the talk again has it fetched again. Audio that
    a person handed in is never touched.

    Args:
        blobs: the study's.
        keep_days: 0: everything is kept.
        now: the age is counted up to here. Audio of an earlier version, which kept no date, begins here.
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
            blobs.delete(str(entry["key"]))  # first: an entry without audio is seen here again
            blobs.delete(ledger)
            deleted += 1
    if deleted:
        log.info("deleted audio that has served", talks=deleted, older_than_days=keep_days)
    return deleted


def _served(blobs: Blobs, entry: dict[str, Any]) -> bool:
    """Whether this very audio has its transcript."""
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
        log.warning("a talk's audio is kept for good: what is said of it is damaged", key=ledger)
        return None
