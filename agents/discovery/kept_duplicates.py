"""Sends on the duplicates that a person keeps: they are learned after all.

The decision is in the log of corrections. Who keeps a talk may do so while nothing runs, or while the broker
is away; so it is looked for here, and the talk is sent until the topic model has learned it.
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
    """Finds the kept talks that are still rejected; each is told once by one process."""

    def __init__(self, blobs: Blobs, warehouse: Warehouse) -> None:
        self._blobs = blobs
        self._warehouse = warehouse
        self._epochs = Epochs(blobs)
        self._corrections = Corrections(blobs)
        self._read: set[str] = set()
        self._kept: dict[str, str] = {}
        self._told: set[tuple[str, str]] = set()

    def due(self) -> list[TranscriptReady]:
        """Return the transcripts that are to be learned although they say nothing new. Blocks.

        As long as nobody keeps anything that is still rejected, the database is not asked.
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
