"""Checkpoints of the topic model: how far it has learned, and the state it has then, as numbered blobs.

Each is created under the next number, and only if nobody has it: of two trackers that both go on, one ends.
The number of the newest stands beside them, so that one that is missing is missed: a model that went on from
an older one would give the identities of later talks to others.
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
"""Where a checkpoint keeps its position, beside the model's own words."""
KEPT = 3
"""Checkpoints kept; older ones of the epoch are deleted."""
REBUILD = 'or begin a new epoch: "groundswell rebuild", which learns the talks again'


class CheckpointPosition(BaseModel):
    """The position of a checkpoint: it has learned everything before `next_offset` of log `log_id`.

    `steps`: talks learned and consolidations; orders all that the model says. `underway`: ids of the events
    of which perhaps not every reader has had what they led to, the oldest first; it was sent to the log
    `told_in`.
    """

    log_id: str
    next_offset: int
    steps: int = 0
    underway: tuple[str, ...] = ()
    told_in: str = ""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A state of the model and of what it recognises, and its position."""

    snapshot: Snapshot
    reached: CheckpointPosition


class Checkpoints:
    """The checkpoints of one epoch; one tracker writes them."""

    def __init__(self, blobs: Blobs, epoch: int) -> None:
        """Begin before the first one; `newest` moves to the last."""
        self._blobs = blobs
        self._folder = f"{CHECKPOINTS}/{epoch:04}"
        self._newest = f"{NEWEST}/{epoch:04}"
        self.number = 0

    def newest(self) -> Checkpoint | None:
        """Return the newest checkpoint, after which the next one is written, or None before the first.

        Raises:
            Misconfigured: it is missing, or cannot be read.
        """
        keys = list(self._blobs.keys(self._folder))
        self.number = int(PurePosixPath(keys[-1]).stem) if keys else 0
        written = 0
        with suppress(DataError, ValueError):  # nothing was written yet, or by an older version
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
            cause = error.cause if isinstance(error, BadInput) else "it does not say how far it has learned"
            raise Misconfigured(
                f"the newest checkpoint of the topic model cannot be read ({cause})",
                f"restore {key} in the study's blobs from a backup, {REBUILD}. An older checkpoint is no way "
                "out: it would give later talks identities that others have",
            ) from error

    def create(self, snapshot: Snapshot, reached: CheckpointPosition) -> None:
        """Write the next checkpoint.

        Raises:
            Fatal: another tracker has written it.
        """
        snapshot.meta[POSITION] = reached.model_dump(mode="json")
        content = dump(snapshot)
        keys = list(self._blobs.keys(self._folder))
        overtaken = keys[-1:] != ([self._key(self.number)] if self.number else [])
        self.number += 1
        if overtaken or not self._blobs.create(self._key(self.number), content):
            raise Fatal(
                f"another track worker has written checkpoint {self.number}",
                "this one was slow or cut off; it stands by after a restart",
            )
        self._blobs.put(self._newest, str(self.number).encode())
        for old in [*keys, self._key(self.number)][:-KEPT]:
            self._blobs.delete(old)

    def _key(self, number: int) -> str:
        return f"{self._folder}/{number:09}.npz"
