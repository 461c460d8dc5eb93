"""Errors of models: the data is unusable, or a model is unavailable."""


class _Refusal(Exception):  # noqa: N818 - its kinds are verdicts on the data or the installation
    """An error with its cause (`cause`) and its remedy (`cure`), each in a few words.

    `str()` gives `cause: cure`. It can be pickled, so that it can leave a worker process.
    """

    def __init__(self, cause: str, cure: str) -> None:
        super().__init__(cause, cure)
        self.cause = cause
        self.cure = cure

    def __str__(self) -> str:
        return f"{self.cause}: {self.cure}"


class BadInput(_Refusal):
    """The data cannot be used, and a retry cannot help: it becomes a dead letter for a person to correct."""


class ModelUnavailable(_Refusal):
    """A model cannot be loaded now: the fault is in the installation or the network, not in the data."""


def first_line(error: Exception) -> str:
    """Return the first line of an error's message; its type's name if the message is empty."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
