"""Errors as protocol: the class of an error decides what happens to the event."""

from __future__ import annotations

from datetime import datetime


class Explained(Exception):  # noqa: N818 - a base, not an error of its own
    """An error that a person can act on: `cause` says what happened, `cure` what to do."""

    def __init__(self, cause: str, cure: str) -> None:
        super().__init__(cause, cure)
        self.cause = cause
        self.cure = cure

    def __str__(self) -> str:
        return f"{self.cause}: {self.cure}"


class DataError(Explained):
    """This event cannot be processed as it is: it becomes a dead letter, and processing continues."""


class Unavailable(Explained):
    """A dependency (broker, ClickHouse, blobs, a model) does not answer: retry, then stop."""


class Paused(Unavailable):
    """A remote service must not be asked before `until`: the request was not made, and waits."""

    def __init__(self, cause: str, cure: str, until: datetime) -> None:
        super().__init__(cause, cure)
        self.until = until


class Misconfigured(Explained):
    """A setting or an argument is wrong; nothing was started."""


class Fatal(Explained):
    """Continuing would lose or duplicate data: the process ends, and a supervisor restarts it."""
