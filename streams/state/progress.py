"""Progress of long work on a talk: kept beside the blobs, so that any process can ask.

Nothing rests on it. Who works on a talk says so every few seconds, and takes the note away when it is done;
what a killed worker left is known by its age.
"""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from streams.errors import DataError
from streams.events import stable_id
from streams.state.blobs import Blobs

FOLDER = "progress"
STALE_S = 60.0
"""Who has said nothing for so long is not at work any more, or hangs (seconds)."""
Step = Literal["decoding", "transcribing", "finding speakers"]


class Progress(BaseModel):
    """The progress of one talk.

    Attributes:
        step: what is being done.
        done_s: seconds of the recording that are transcribed.
        total_s: its length, seconds; None: not known before it is decoded.
        began_at: when this attempt began to be worked on.
        resumed_s: seconds that were transcribed by an earlier attempt already.
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
        """Share of the recording that is transcribed, 0 to 1."""
        return min(self.done_s / self.total_s, 1.0) if self.total_s else None

    @property
    def speed(self) -> float | None:
        """Seconds of the recording per second of this attempt (× real time)."""
        took_s = (self.said_at - self.began_at).total_seconds()
        return (
            (self.done_s - self.resumed_s) / took_s if took_s > 0 and self.done_s > self.resumed_s else None
        )

    @property
    def remaining_s(self) -> float | None:
        """Seconds that the rest takes at this speed."""
        return (self.total_s - self.done_s) / self.speed if self.total_s and self.speed else None


class Board:
    """One note per talk that is being worked on."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    def say(self, progress: Progress) -> None:
        """Keep how far a talk is, in place of what was said of it before."""
        self._blobs.put(self._key(progress.video_id), progress.model_dump_json().encode())

    def wipe(self, video_id: str) -> None:
        """The work is done, or given up."""
        self._blobs.delete(self._key(video_id))

    def all(self) -> list[Progress]:
        """Return how far every talk is that is being worked on, the one that began first first."""
        found = []
        for key in self._blobs.keys(FOLDER):
            try:
                found.append(Progress.model_validate_json(self._blobs.get(key)))
            except (DataError, ValidationError):
                continue  # it is done by now
        return sorted(found, key=lambda each: (each.began_at, each.video_id))

    @staticmethod
    def _key(video_id: str) -> str:
        return f"{FOLDER}/{stable_id(video_id)}.json"
