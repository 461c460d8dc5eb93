"""Outbox of discovery, kept permanently: the durable start of every talk's path.

The embedded broker loses its messages when it ends, and a cluster can be lost; everything later on the path
can be rebuilt from here. Entries are written before the event is sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from streams.errors import DataError
from streams.events import VideoSeen, stable_id
from streams.kafka.codec import decode, encode
from streams.state.blobs import Blobs

FOLDER = "outbox"


class Unreadable(NamedTuple):
    """A file without a readable sighting: damaged, or with text or dates that are no longer valid."""

    key: str
    content: bytes
    error: DataError


class Outbox:
    """The first `VideoSeen` of every video, in the blob store."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    @staticmethod
    def key(video_id: str) -> str:
        """Return the blob key of a video's sighting."""
        return f"{FOLDER}/{stable_id(video_id)}.json"

    def keep(self, seen: VideoSeen) -> None:
        """Store a sighting durably, unless the video has one already."""
        key = self.key(seen.key)
        if not self._blobs.exists(key):
            self._blobs.put(key, encode(seen))

    def renew(self, seen: VideoSeen) -> None:
        """Replace a video's sighting, because a person handed the talk in again, perhaps corrected."""
        self._blobs.put(self.key(seen.key), encode(seen))

    def kept(self, video_id: str) -> VideoSeen | None:
        """Return a video's sighting; None if there is none, or it cannot be read."""
        key = self.key(video_id)
        return next(self.entries([key]), None) if self._blobs.exists(key) else None

    def keys(self) -> set[str]:
        """Return the blob keys of the sightings, which is cheaper than reading them."""
        return set(self._blobs.keys(FOLDER))

    def entries(
        self, keys: Iterable[str] | None = None, unreadable: list[Unreadable] | None = None
    ) -> Iterator[VideoSeen]:
        """Yield sightings in the order in which they were seen.

        Args:
            keys: blob keys of the sightings; None: all.
            unreadable: receives the files that cannot be read.
        """
        seen: list[VideoSeen] = []
        for key in self.keys() if keys is None else keys:
            content = self._blobs.get(key)
            try:
                event = decode(content)
            except DataError as error:
                if unreadable is not None:
                    unreadable.append(Unreadable(key, content, error))
                continue
            if isinstance(event, VideoSeen):
                seen.append(event)
        yield from sorted(seen, key=lambda event: (event.sighting.seen_at, event.key))
