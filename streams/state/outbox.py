"""The outbox of discovery, kept for good: the durable beginning of every talk's path.

The embedded broker forgets when it ends and a cluster can be lost; everything later on the path can be
made again from here. Entries are written before the event is sent.
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
    """A file without a sighting: damaged, or with text or dates that may not enter any more."""

    key: str
    content: bytes
    error: DataError


class Outbox:
    """The first `VideoSeen` of every video, in the blob store."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    @staticmethod
    def _key(video_id: str) -> str:
        return f"{FOLDER}/{stable_id(video_id)}.json"

    def keep(self, seen: VideoSeen) -> None:
        """Keep a sighting durably, unless the video is already kept."""
        key = self._key(seen.key)
        if not self._blobs.exists(key):
            self._blobs.put(key, encode(seen))

    def renew(self, seen: VideoSeen) -> None:
        """Replace what is kept: the person handed the talk in again, perhaps mended."""
        self._blobs.put(self._key(seen.key), encode(seen))

    def kept(self, video_id: str) -> VideoSeen | None:
        """Return what is kept of a video, or None; what cannot be read is as good as nothing."""
        key = self._key(video_id)
        return next(self.entries([key]), None) if self._blobs.exists(key) else None

    def keys(self) -> set[str]:
        """Return where sightings are kept: cheaper than what they say."""
        return set(self._blobs.keys(FOLDER))

    def entries(
        self, keys: Iterable[str] | None = None, unreadable: list[Unreadable] | None = None
    ) -> Iterator[VideoSeen]:
        """Yield kept sightings in the order they were seen.

        Args:
            keys: where they lie; None: every one.
            unreadable: gets the others.
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
