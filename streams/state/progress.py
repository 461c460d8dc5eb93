"""Progress of long work on a talk, stored in the blob store so that any process can read it.

It is only informative. A worker updates its note every few seconds, and deletes it when it is done; a note
that a killed worker left is recognized by its age.
"""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from streams.errors import DataError
from streams.events import stable_id
from streams.state.blobs import Blobs

FOLDER = "progress"
STALE_S = 60.0
"""Age after which a note's worker is considered dead or hanging (seconds)."""
Step = Literal["decoding", "transcribing", "finding speakers"]


class Progress(BaseModel):
    """The progress of one talk.

    Attributes:
        step: the current step of the work.
        done_s: seconds of the recording that are transcribed.
        total_s: length of the recording (seconds); None: unknown before it is decoded.
        began_at: when this attempt began.
        resumed_s: seconds that an earlier attempt had already transcribed.
    """

    model_config = ConfigDict(frozen=True)

    video_id: str
    title: str
    step: Step
    done_s: float = 0.0
    total_s: float | None = None
    resumed_s: float = 0.0
    began_at: AwareDatetime
    said_at: AwareDatetime

    @property
    def share(self) -> float | None:
        """Share of the recording that is transcribed, 0 to 1; None if its length is unknown.

        None also while speakers are still searched: how much of that is left is not known, and it is not 1.
        """
        if not self.total_s or self.step == "finding speakers":
            return None
        return min(self.done_s / self.total_s, 1.0)

    @property
    def speed(self) -> float | None:
        """Seconds of the recording per second of this attempt (× real time)."""
        took_s = (self.said_at - self.began_at).total_seconds()
        return (
            (self.done_s - self.resumed_s) / took_s if took_s > 0 and self.done_s > self.resumed_s else None
        )

    @property
    def remaining_s(self) -> float | None:
        """Estimated seconds for the rest at this speed; None if unknown."""
        if not self.total_s or not self.speed or self.share is None:
            return None
        return (self.total_s - self.done_s) / self.speed


class Board:
    """The progress notes of all talks that are being processed."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    def say(self, progress: Progress) -> None:
        """Store a talk's progress, replacing the earlier note."""
        self._blobs.put(self._key(progress.video_id), progress.model_dump_json().encode())

    def wipe(self, video_id: str) -> None:
        """Delete a talk's note, because its work is done or was given up."""
        self._blobs.delete(self._key(video_id))

    def all(self) -> list[Progress]:
        """Return the progress of every talk, ordered by the start of the work."""
        found = []
        for key in self._blobs.keys(FOLDER):
            try:
                found.append(Progress.model_validate_json(self._blobs.get(key)))
            except (DataError, ValidationError):
                continue  # deleted by now, because the work is done
        return sorted(found, key=lambda each: (each.began_at, each.video_id))

    @staticmethod
    def _key(video_id: str) -> str:
        return f"{FOLDER}/{stable_id(video_id)}.json"
