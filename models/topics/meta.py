"""The words of a snapshot: what its arrays are about, and what wrote them."""

from dataclasses import asdict
from importlib.metadata import version

from pydantic import BaseModel, ConfigDict, ValidationError

from models.errors import BadInput
from models.topics.novelty import Kept
from models.topics.online import Words
from models.topics.outcome import Origin
from models.topics.settings import TopicSettings
from models.topics.snapshot import JSON

_LIBRARIES = ("bertopic", "numpy", "river", "scikit-learn", "scipy")


class Named(BaseModel):
    """What people call a topic; a born one has no name until they give it one."""

    model_config = ConfigDict(frozen=True)

    origin: Origin
    name: str | None = None
    theme: str | None = None
    key: str | None = None


class Meta(BaseModel):
    """The JSON part of a topic model's snapshot."""

    format: int
    libraries: dict[str, str]
    version: str
    embedding_model: str
    settings: dict[str, float]
    topics: list[Named]
    words: list[Words]
    vocabulary: list[str]
    kept: list[Kept]

    @classmethod
    def read(cls, meta: dict[str, JSON], settings: TopicSettings, embedding_model: str | None) -> "Meta":
        """Check that a snapshot continues here.

        Raises:
            BadInput: it was learned with other settings or another embedding model, or is damaged.
        """
        try:
            read = cls.model_validate(meta)
        except ValidationError as error:
            raise BadInput(
                f"not a topic model snapshot, or a damaged one ({error.errors()[0]['msg']})",
                "take an earlier snapshot, or let the model learn its batches again",
            ) from error
        if embedding_model is not None and embedding_model != read.embedding_model:
            raise BadInput(
                f"the snapshot learned from embeddings of {read.embedding_model}, not of {embedding_model}",
                "embed with that model, or let a new model learn its batches again: vectors do not mix",
            )
        now: dict[str, float] = asdict(settings)
        other = sorted(
            key for key in now.keys() | read.settings.keys() if now.get(key) != read.settings.get(key)
        )
        if other:
            key = other[0]
            raise BadInput(
                f"the snapshot learned with {key} = {read.settings.get(key)}, not {now.get(key)}",
                "use its settings, or let a new model learn its batches again",
            )
        return read


def libraries() -> dict[str, str]:
    """The versions of the libraries that a topic model's numbers come from."""
    return {name: version(name) for name in _LIBRARIES}
