"""Partial transcripts of long recordings, so that a killed worker loses minutes of work and not hours."""

from __future__ import annotations

from streams.errors import DataError
from streams.events import stable_id
from streams.state.blobs import Blobs

FOLDER = "parts"


class PartialTranscripts:
    """The finished stretches of one unfinished transcript, by number. Each is written whole."""

    def __init__(self, blobs: Blobs, name: str) -> None:
        self._blobs = blobs
        self._folder = f"{FOLDER}/{stable_id(name)}"

    def get(self, number: int) -> bytes | None:
        """Return a stretch's content, or None."""
        try:
            return self._blobs.get(self._key(number))
        except DataError:
            return None

    def keep(self, number: int, content: bytes) -> None:
        """Store a stretch durably."""
        self._blobs.put(self._key(number), content)

    def forget(self) -> None:
        """Delete the stretches, because the transcript is complete."""
        for key in list(self._blobs.keys(self._folder)):
            self._blobs.delete(key)

    def _key(self, number: int) -> str:
        return f"{self._folder}/{number:05}.json"
