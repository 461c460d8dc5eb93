"""Epochs of a study's topic model: if the model cannot be continued, a new one begins a new epoch.

Each is a small file in the blob store, created once under the next number, so two processes cannot begin the
same epoch. A study that never began one is in epoch 0. An epoch's data (checkpoints, ledgers) is stored under
its number, and that of earlier epochs is kept.
"""

from __future__ import annotations

from datetime import datetime

from pydantic import AwareDatetime, BaseModel

from streams.errors import Fatal
from streams.state.blobs import Blobs

FOLDER = "model/epochs"
SENT = "relearning-sent"


class Epoch(BaseModel):
    """One epoch. `begun_at` is None for epoch 0, which begins with the study."""

    number: int = 0
    begun_at: AwareDatetime | None = None

    @property
    def version_suffix(self) -> str:
        """Suffix of the model's version, so that no data of another epoch is overwritten."""
        return f"-e{self.number}" if self.number else ""


class Epochs:
    """The epochs of a study."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    def current(self) -> Epoch:
        """Return the newest epoch."""
        keys = list(self._blobs.keys(FOLDER))
        return Epoch.model_validate_json(self._blobs.get(keys[-1])) if keys else Epoch()

    def begin(self, now: datetime) -> Epoch:
        """Begin the next epoch.

        Raises:
            Fatal: another process began it at this moment.
        """
        epoch = Epoch(number=self.current().number + 1, begun_at=now)
        if not self._blobs.create(f"{FOLDER}/{epoch.number:04}.json", epoch.model_dump_json().encode()):
            raise Fatal(f"epoch {epoch.number} was just begun by another process", "let that one continue")
        return epoch

    def sent(self) -> int:
        """Return the newest epoch whose talks were all sent again to be learned."""
        return int(self._blobs.get(SENT)) if self._blobs.exists(SENT) else 0

    def mark_sent(self, epoch: Epoch) -> None:
        """Record that all talks of the epoch were sent."""
        self._blobs.put(SENT, str(epoch.number).encode())
