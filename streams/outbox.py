"""What was handed in or discovered, kept for good: the durable beginning of every talk's path.

The embedded broker forgets when it ends and a cluster can be lost; everything later on the path can be
made again from here. Entries are written before the event is sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from streams.blobs import Blobs
from streams.events import VideoSeen, stable_id
from streams.wire import decode, encode

FOLDER = "outbox"


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
        """Return what is kept of a video, or None."""
        key = self._key(video_id)
        if not self._blobs.exists(key):
            return None
        event = decode(self._blobs.get(key))
        return event if isinstance(event, VideoSeen) else None

    def keys(self) -> set[str]:
        """Return where sightings are kept: cheaper than what they say."""
        return set(self._blobs.keys(FOLDER))

    def entries(self, keys: Iterable[str] | None = None) -> Iterator[VideoSeen]:
        """Yield kept sightings in the order they were seen: those that lie there, or every one."""
        kept = (decode(self._blobs.get(key)) for key in (self.keys() if keys is None else keys))
        seen = [event for event in kept if isinstance(event, VideoSeen)]
        yield from sorted(seen, key=lambda event: (event.sighting.seen_at, event.key))
