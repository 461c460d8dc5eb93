"""The two ways a model can refuse: the data is at fault, or the model is not there."""


class _Refusal(Exception):  # noqa: N818 - its kinds are verdicts on the data or the installation
    """An error that says what is wrong (`cause`) and what mends it (`cure`), each in a few words.

    `str()` gives `cause: cure`. It survives pickling, so that it can leave a worker process.
    """

    def __init__(self, cause: str, cure: str) -> None:
        super().__init__(cause, cure)
        self.cause = cause
        self.cure = cure

    def __str__(self) -> str:
        return f"{self.cause}: {self.cure}"


class BadInput(_Refusal):
    """The data cannot be used, and the same data never will be: a dead letter, for a person to mend."""


class ModelUnavailable(_Refusal):
    """A model cannot be loaded here and now: the data is fine, the installation or the network is not."""


def first_line(error: Exception) -> str:
    """What an error says, in one line; its kind if it says nothing."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
