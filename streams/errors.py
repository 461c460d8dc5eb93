"""Errors are protocol: what happens to an event depends on which of these is raised."""

from __future__ import annotations

from datetime import datetime


class Explained(Exception):  # noqa: N818 - a base, not an error of its own
    """An error a person can act on: `cause` says what happened, `cure` what to do."""

    def __init__(self, cause: str, cure: str) -> None:
        super().__init__(cause, cure)
        self.cause = cause
        self.cure = cure

    def __str__(self) -> str:
        return f"{self.cause}: {self.cure}"


class DataError(Explained):
    """This event cannot be processed as it is; it goes to the dead letters, the rest flows on."""


class Unavailable(Explained):
    """Something outside (broker, ClickHouse, blobs, a model) does not answer; keep trying, then stop."""


class Paused(Unavailable):
    """Somebody outside is left alone until a moment; what was wanted of them waits, and nothing was tried."""

    def __init__(self, cause: str, cure: str, until: datetime) -> None:
        super().__init__(cause, cure)
        self.until = until


class Misconfigured(Explained):
    """A setting or an argument is wrong; nothing was started."""


class Fatal(Explained):
    """Going on would lose or double data: the process ends and a supervisor restarts it."""
