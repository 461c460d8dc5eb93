"""What reviewers say of videos, kept for good: this log is the truth, the database and the queue follow it.

The embedded broker forgets when it ends, so a review is kept here before it is sent. Reviews are only ever
added, so two reviewers at once lose nothing; of a reviewer's about a video the latest holds, and a review is
taken back by a newer one that says so.
"""

from __future__ import annotations

import json

from streams.errors import DataError
from streams.events import VideoReviewed, stable_id
from streams.kafka.codec import decode, encode
from streams.state.blobs import Blobs
from streams.store.warehouse import Warehouse, strings
from streams.timestamps import whole_ms

FOLDER = "reviews"


class Reviews:
    """Every `VideoReviewed` of a study, in the blob store. What was read once is not read again."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._read: dict[str, VideoReviewed] = {}

    def keep(self, event: VideoReviewed) -> None:
        """Keep a review durably. Keeping it twice is keeping it once."""
        self._blobs.put(f"{_folder(event.video_id)}/{event.event_id}.json", encode(event))

    def of(self, video_id: str) -> list[VideoReviewed]:
        """Return every review of a video, oldest first.

        Raises:
            DataError: a file is damaged.
        """
        return self._events(_folder(video_id))

    def events(self) -> list[VideoReviewed]:
        """Return every review, oldest first.

        Raises:
            DataError: a file is damaged.
        """
        return self._events(FOLDER)

    def by_video(self) -> dict[str, list[VideoReviewed]]:
        """Return every review by video, oldest first.

        Raises:
            DataError: a file is damaged.
        """
        found: dict[str, list[VideoReviewed]] = {}
        for event in self.events():
            found.setdefault(event.video_id, []).append(event)
        return found

    def any(self) -> bool:
        """Whether anything was reviewed."""
        return any(True for _ in self._blobs.keys(FOLDER))

    def _events(self, folder: str) -> list[VideoReviewed]:
        return sorted((self._event(key) for key in self._blobs.keys(folder)), key=_moment)

    def _event(self, key: str) -> VideoReviewed:
        if key not in self._read:
            event = decode(self._blobs.get(key))
            if not isinstance(event, VideoReviewed):
                raise DataError(
                    f"{key} in {self._blobs.url} holds {type(event).__name__}, which is no review",
                    "restore it from a backup, or delete it",
                )
            self._read[key] = event
        return self._read[key]


def missing(reviews: Reviews, warehouse: Warehouse) -> list[VideoReviewed]:
    """Return the reviews that hold and that the database lacks, oldest first."""
    holding = {(event.video_id, event.reviewer, event.final): event for event in reviews.events()}
    if not holding:
        return []
    rows = warehouse.rows(
        f"""
        SELECT video_id, reviewer, final, reviewed_at FROM reviews FINAL
        WHERE video_id IN {strings("ids")}
        """,
        ids=json.dumps(sorted({video_id for video_id, _, _ in holding})),
    )
    held = {(row["video_id"], row["reviewer"], bool(row["final"])): row["reviewed_at"] for row in rows}
    lacking = (
        event
        for about, event in holding.items()
        if about not in held or held[about] < whole_ms(event.reviewed_at)
    )
    return sorted(lacking, key=_moment)


def _folder(video_id: str) -> str:
    return f"{FOLDER}/{stable_id(video_id)}"


def _moment(event: VideoReviewed) -> tuple[object, ...]:
    return event.reviewed_at, event.event_id
