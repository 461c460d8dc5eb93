"""Index of fetched recordings: one ledger entry per talk, a pointer to its audio."""

from __future__ import annotations

import json
from collections.abc import Iterator

from streams.errors import DataError
from streams.events import Blob, stable_id
from streams.state.blobs import Blobs

FOLDER = "audio"


def ledger_of(video_id: str) -> str:
    """Return the blob key of a talk's ledger entry."""
    return f"{FOLDER}/{stable_id(video_id)}.json"


def ledgers(blobs: Blobs) -> Iterator[str]:
    """Yield the keys of all entries, sorted."""
    return (key for key in blobs.keys(FOLDER) if key.endswith(".json"))


def recording(blobs: Blobs, video_id: str) -> Blob | None:
    """Return the pointer to a talk's audio; None if it was never fetched, was deleted, or is damaged."""
    try:
        return Blob.model_validate(json.loads(blobs.get(ledger_of(video_id))))
    except (DataError, ValueError):
        return None
