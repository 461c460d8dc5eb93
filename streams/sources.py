"""The sources that are watched: one small file each in the blob store, so that they outlive every process."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from streams.blobs import Blobs
from streams.events import Source, stable_id


class Sources:
    """Add, remove and list sources; remember when each was looked at."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    def add(self, source: Source) -> bool:
        """Keep a source; False when it was there already."""
        key = f"sources/{source.source_id}.json"
        if self._blobs.exists(key):
            return False
        self._blobs.put(key, source.model_dump_json().encode())
        return True

    def remove(self, source_id: str) -> None:
        """Forget a source. The talks it found stay."""
        self._blobs.delete(f"sources/{source_id}.json")
        self._blobs.delete(f"visits/{source_id}")

    def all(self) -> Iterator[Source]:
        """Yield every source by id."""
        for key in self._blobs.keys("sources"):
            yield Source.model_validate_json(self._blobs.get(key))

    def visit(self, source_id: str, at: datetime) -> None:
        """Remember that a source was looked at."""
        self._blobs.put(f"visits/{source_id}", at.isoformat().encode())

    def visited_at(self, source_id: str) -> datetime | None:
        """Return when a source was last looked at, or None."""
        key = f"visits/{source_id}"
        return datetime.fromisoformat(self._blobs.get(key).decode()) if self._blobs.exists(key) else None


def source_id(kind: str, locator: str) -> str:
    """Return the id of a source: the same source added twice is one.

    Example:
        >>> source_id("search", "LLMOps")
        'search-fe9ba3'
    """
    return f"{kind}-{stable_id(kind, locator.casefold())[:6]}"
