"""Log of screening in the blob store, complete enough to accept a video later after all.

The first sighting in the outbox has at most a title; this log has the metadata of the video's own page from
when the rules had let it pass. It is written before the verdict is sent.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import structlog

from streams.errors import DataError
from streams.events import VideoAccepted, stable_id
from streams.kafka.codec import decode, encode
from streams.state.blobs import Blobs

log = structlog.get_logger()
FOLDER = "screened"
Outcome = Literal["accepted", "rejected", "waiting"]


@dataclass(frozen=True, slots=True)
class ScreeningRecord:
    """The outcome of a video's screening.

    Attributes:
        passes: the event that accepts it, or would.
        outcome: the verdict.
        by_reviewers: whether reviewers decided.
        said: why it was rejected; empty otherwise.
    """

    passes: VideoAccepted
    outcome: Outcome
    by_reviewers: bool = False
    said: str = ""


class ScreeningLog:
    """The screening records of a study, one small file per video."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    @staticmethod
    def key(video_id: str) -> str:
        """Return the blob key of a video's file."""
        return f"{FOLDER}/{stable_id(video_id)}.json"

    def keep(self, screening: ScreeningRecord) -> None:
        """Store a video's record, replacing an earlier one."""
        content = {
            "passes": json.loads(encode(screening.passes)),
            "outcome": screening.outcome,
            "by_reviewers": screening.by_reviewers,
            "said": screening.said,
        }
        self._blobs.put(self.key(screening.passes.key), json.dumps(content, ensure_ascii=False).encode())

    def get(self, video_id: str) -> ScreeningRecord | None:
        """Return a video's record, or None.

        Raises:
            DataError: its file is damaged.
        """
        key = self.key(video_id)
        return self._read(key) if self._blobs.exists(key) else None

    def keys(self) -> set[str]:
        """Return the keys of all files."""
        return set(self._blobs.keys(FOLDER))

    def of(self, keys: set[str]) -> Iterator[ScreeningRecord]:
        """Yield the records with these keys; damaged ones are skipped and logged."""
        for key in sorted(keys):
            try:
                yield self._read(key)
            except DataError as error:
                log.error("a video's screening cannot be read", cause=error.cause, cure=error.cure)

    def _read(self, key: str) -> ScreeningRecord:
        content = self._blobs.get(key)
        try:
            kept = json.loads(content)
            passes = decode(json.dumps(kept["passes"]).encode())
            if isinstance(passes, VideoAccepted) and kept["outcome"] in ("accepted", "rejected", "waiting"):
                return ScreeningRecord(passes, kept["outcome"], bool(kept["by_reviewers"]), str(kept["said"]))
            reason = f"it holds {type(passes).__name__}, {kept['outcome']!r:.40}"
        except (DataError, ValueError, KeyError, TypeError) as error:
            reason = error.cause if isinstance(error, DataError) else f"{type(error).__name__}: {error}"
        raise DataError(
            f"the screening {key} in {self._blobs.url} is damaged ({reason})",
            "restore it from a backup, or delete it and hand the video in again; no other is affected",
        )
