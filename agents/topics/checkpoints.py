"""Checkpoints of the topic model: its position in the log and its state at that point, as numbered blobs.

Each checkpoint is created under the next number, and only if that number is free: of two active trackers, one
ends. The number of the newest one is stored beside them, so that a missing checkpoint is noticed: a model
that continued from an older one would reuse the identities of later talks.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePosixPath

from pydantic import BaseModel, ValidationError

from models.errors import BadInput
from models.topics import Snapshot, dump, load
from streams.errors import DataError, Fatal, Misconfigured
from streams.state.blobs import Blobs

CHECKPOINTS = "model/checkpoints"
NEWEST = "model/newest"
POSITION = "reached"
"""The key of the position in a snapshot's metadata."""
KEPT = 3
"""Number of checkpoints to keep; older ones of the epoch are deleted."""
REBUILD = 'or begin a new epoch: "groundswell rebuild", which learns the talks again'


class CheckpointPosition(BaseModel):
    """The position of a checkpoint: the model has learned everything before `next_offset` of log `log_id`.

    `steps`: the number of learned talks and consolidations; orders the model's outputs. `underway`: ids of
    the events whose outputs, sent to the log `told_in`, perhaps not every reader has received; oldest first.
    """

    log_id: str
    next_offset: int
    steps: int = 0
    underway: tuple[str, ...] = ()
    told_in: str = ""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A state of the model and of its duplicate detection, with its position."""

    snapshot: Snapshot
    reached: CheckpointPosition


class Checkpoints:
    """The checkpoints of one epoch; one tracker writes them."""

    def __init__(self, blobs: Blobs, epoch: int) -> None:
        """Start before the first checkpoint; call `newest` to move to the last one."""
        self._blobs = blobs
        self._folder = f"{CHECKPOINTS}/{epoch:04}"
        self._newest = f"{NEWEST}/{epoch:04}"
        self.number = 0

    def newest(self) -> Checkpoint | None:
        """Return the newest checkpoint, or None before the first; `create` then continues its numbering.

        Raises:
            Misconfigured: it is missing or cannot be read.
        """
        keys = self._keys()
        self.number = int(PurePosixPath(keys[-1]).stem) if keys else 0
        written = 0
        with suppress(DataError, ValueError):  # there is none yet, or an older version wrote it
            written = int(self._blobs.get(self._newest))
        if self.number < written:
            raise Misconfigured(
                f"checkpoint {written} of the topic model is missing, and "
                f"{self.number or 'none'} is the newest one there",
                f"restore {self._key(written)} in the study's blobs from a backup, {REBUILD}",
            )
        return self._read(keys[-1]) if keys else None

    def _read(self, key: str) -> Checkpoint:
        try:
            snapshot = load(self._blobs.get(key))
            return Checkpoint(snapshot, CheckpointPosition.model_validate(snapshot.meta.pop(POSITION)))
        except (BadInput, KeyError, ValidationError) as error:
            cause = error.cause if isinstance(error, BadInput) else "it has no position"
            raise Misconfigured(
                f"the newest checkpoint of the topic model cannot be read ({cause})",
                f"restore {key} in the study's blobs from a backup, {REBUILD}. Do not use an older "
                "checkpoint: it would reuse the identities of later talks",
            ) from error

    def create(self, snapshot: Snapshot, reached: CheckpointPosition) -> None:
        """Write the next checkpoint.

        Raises:
            Fatal: another tracker has written it.
        """
        snapshot.meta[POSITION] = reached.model_dump(mode="json")
        content = dump(snapshot)
        keys = self._keys()
        overtaken = self._is_overtaken(keys)
        self.number += 1
        if overtaken or not self._blobs.create(self._key(self.number), content):
            raise Fatal(
                f"another track worker has written checkpoint {self.number}",
                "this worker was slow or disconnected; it stands by after a restart",
            )
        self._blobs.put(self._newest, str(self.number).encode())
        for old in [*keys, self._key(self.number)][:-KEPT]:
            self._blobs.delete(old)

    def overtaken(self) -> bool:
        """Return whether the newest checkpoint is not the one that this tracker loaded or wrote last."""
        return self._is_overtaken(self._keys())

    def _is_overtaken(self, keys: list[str]) -> bool:
        return keys[-1:] != ([self._key(self.number)] if self.number else [])

    def _keys(self) -> list[str]:
        return list(self._blobs.keys(self._folder))

    def _key(self, number: int) -> str:
        return f"{self._folder}/{number:09}.npz"
