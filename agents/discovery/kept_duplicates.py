"""Sends the duplicates that a person keeps, so that the topic model learns them.

The decision is in the log of corrections. A person may decide while nothing runs or the broker is down; so
this module polls the log, and sends the talk until the topic model has learned it.
"""

from __future__ import annotations

import structlog

from agents.topics import rebuild
from streams.errors import DataError
from streams.events import TranscriptReady
from streams.logs.corrections import Corrections
from streams.state.blobs import Blobs
from streams.state.epochs import Epochs
from streams.store.operations import relearning
from streams.store.rows.operations import UnlearnedTranscript
from streams.store.warehouse import Warehouse

log = structlog.get_logger()


class Keeping:
    """Finds the kept talks that are still rejected; a process returns each transcript once."""

    def __init__(self, blobs: Blobs, warehouse: Warehouse) -> None:
        self._blobs = blobs
        self._warehouse = warehouse
        self._epochs = Epochs(blobs)
        self._corrections = Corrections(blobs)
        self._read: set[str] = set()
        self._kept: dict[str, str] = {}
        self._told: set[tuple[str, str]] = set()

    def due(self) -> list[TranscriptReady]:
        """Return the transcripts of kept duplicates that the model still has to learn. Blocks.

        If there are no kept talks that may still be rejected, the database is not queried.
        """
        for key in sorted(set(self._corrections.keys()) - self._read):
            self._read.add(key)
            self._look(key)
        if not self._kept:
            return []
        rejected = relearning.duplicates(self._warehouse, self._epochs.current(), self._kept)
        still = {row["video_id"] for row in rejected}
        self._kept = {video_id: by for video_id, by in self._kept.items() if video_id in still}
        new = [row for row in rejected if _transcript(row) not in self._told]
        self._told |= set(map(_transcript, new))
        return list(rebuild.ready(self._blobs, new, self._kept))

    def _look(self, key: str) -> None:
        try:
            self._kept |= self._corrections.kept([key])
        except DataError as error:
            log.error("a correction cannot be read", cause=error.cause, cure=error.cure)


def _transcript(row: UnlearnedTranscript) -> tuple[str, str]:
    return row["video_id"], row["transcript_version"]
