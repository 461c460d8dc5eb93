"""Log of reviews of videos; a reviewer's latest review of a video counts.

Concurrent reviewers lose nothing. A newer review can withdraw an earlier one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from streams.events import VideoReviewed, stable_id
from streams.logs.event_log import EventLog
from streams.state.blobs import Blobs


class Reviews(EventLog[VideoReviewed]):
    """Every `VideoReviewed` of a study; each file is read once and cached."""

    kind = VideoReviewed
    folder = "reviews"
    timestamp = "reviewed_at"

    def __init__(self, blobs: Blobs) -> None:
        super().__init__(blobs)
        self._cache: dict[str, VideoReviewed] = {}

    def of(self, video_id: str) -> list[VideoReviewed]:
        """Return every review of a video, oldest first.

        Raises:
            DataError: a file is damaged.
        """
        return self.ordered(self._read(self._blobs.keys(_folder(video_id))))

    def by_video(self) -> dict[str, list[VideoReviewed]]:
        """Return every review by video, oldest first.

        Raises:
            DataError: a file is damaged.
        """
        found: dict[str, list[VideoReviewed]] = {}
        for event in self.events():
            found.setdefault(event.video_id, []).append(event)
        return found

    def _folder_of(self, event: VideoReviewed) -> str:
        return _folder(event.video_id)

    def _read(self, keys: Iterable[str]) -> Iterator[VideoReviewed]:
        for key in keys:
            if key not in self._cache:
                (self._cache[key],) = super()._read([key])
            yield self._cache[key]


def _folder(video_id: str) -> str:
    return f"{Reviews.folder}/{stable_id(video_id)}"
