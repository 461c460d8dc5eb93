"""Log of codebook decisions, one small file each in the blob store; the database is derived from it.

A decision's revision is the number of its file, which can be created only once. So of two curators who decide
at the same time, one succeeds and the other gets a `Conflict`. No file is ever changed or deleted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from streams.errors import DataError, Explained
from streams.events import CodebookDecided
from streams.kafka.codec import decode, encode
from streams.state.blobs import Blobs

FOLDER = "codebook"


class Conflict(Explained):
    """Another curator decided at the same time; this decision was not stored."""

    def __init__(self, decided: CodebookDecided) -> None:
        super().__init__(
            f"revision {decided.revision} was decided by {decided.author} meanwhile: {decided.said}",
            "check the codebook again (groundswell codebook show), then decide again",
        )


class CodebookLog:
    """The decisions of a study, from revision 1 on without a gap."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    def latest(self) -> int:
        """Return the newest revision; 0 if there are no decisions."""
        return max(map(_number, self._blobs.keys(FOLDER)), default=0)

    def append(self, event: CodebookDecided) -> None:
        """Store a decision as the next revision, durably.

        Raises:
            Conflict: this revision exists already.
            DataError: the decision is too large for a message.
        """
        if event.revision != 1 and not self._blobs.exists(_key(event.revision - 1)):
            raise ValueError(f"revision {event.revision} would leave a gap")
        if not self._blobs.create(_key(event.revision), encode(event)):
            raise Conflict(self.read(event.revision))

    def read(self, revision: int) -> CodebookDecided:
        """Return the decision of a revision.

        Raises:
            DataError: there is none, or its file is damaged.
        """
        event = decode(self._blobs.get(_key(revision)))
        if not isinstance(event, CodebookDecided) or event.revision != revision:
            raise DataError(
                f"the blob {_key(revision)} in {self._blobs.url} is not revision {revision} of the codebook",
                "restore it from a backup",
            )
        return event

    def events(self, after: int = 0) -> Iterator[CodebookDecided]:
        """Yield the decisions of later revisions, oldest first."""
        for number in sorted(map(_number, self._blobs.keys(FOLDER))):
            if number > after:
                yield self.read(number)

    def missing(self, revisions: Collection[int]) -> Iterator[CodebookDecided]:
        """Yield the decisions that are not among these revisions, oldest first."""
        for number in sorted(set(map(_number, self._blobs.keys(FOLDER))) - set(revisions)):
            yield self.read(number)


def _key(revision: int) -> str:
    return f"{FOLDER}/{revision:08}.json"


def _number(key: str) -> int:
    return int(key.rsplit("/", 1)[-1].removesuffix(".json"))
