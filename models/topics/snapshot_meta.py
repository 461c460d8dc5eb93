"""Metadata of a snapshot: names, words and texts of its arrays, and the versions that wrote them."""

from importlib.metadata import version
from typing import Any

from pydantic import BaseModel, ValidationError

from models.errors import BadInput
from models.topics.lifecycle.dormant import Sleeping
from models.topics.lifecycle.novelty import BufferedParagraph
from models.topics.lifecycle.registry import LastHeard, Named
from models.topics.lifecycle.representatives import Representative
from models.topics.lifecycle.reservoir import Sampled
from models.topics.naming.labels import TopicLabel
from models.topics.online.partial_fit import Words
from models.topics.settings import TopicSettings
from models.topics.settings_fingerprint import numbers
from models.topics.snapshot.snapshot import JSON

_LIBRARIES = ("bertopic", "networkx", "numpy", "river", "scikit-learn", "scipy")


class Meta(BaseModel):
    """The JSON part of a topic model's snapshot."""

    format: int
    libraries: dict[str, str]
    version: str
    embedding_model: str
    settings: dict[str, str]
    topics: list[Named]
    aliases: dict[int, int]
    heard: dict[int, LastHeard]
    sleeping: list[Sleeping]
    representatives: dict[int, list[Representative]]
    words: list[Words]
    vocabulary: list[str]
    labels: dict[int, TopicLabel]
    drift_words: list[str]
    bursts: dict[str, Any]
    emergence: dict[str, Any]
    kept: list[BufferedParagraph]
    sampled: list[Sampled]

    @classmethod
    def read(cls, meta: dict[str, JSON], settings: TopicSettings, embedding_model: str | None) -> "Meta":
        """Parse a snapshot's metadata and check that this model can continue from it.

        Raises:
            BadInput: it was learned with other settings, another embedding model or another major version of
                a library, or is damaged.
        """
        try:
            read = cls.model_validate(meta)
        except ValidationError as error:
            raise BadInput(
                f"not a topic model snapshot, or a damaged one ({error.errors()[0]['msg']})",
                "restore it from a backup",
            ) from error
        now_with = libraries()
        for name, wrote in sorted(read.libraries.items()):
            if _major(wrote) != _major(now_with.get(name, "")):
                raise BadInput(
                    f"the snapshot was made with {name} {wrote}, not {now_with.get(name) or 'known here'}",
                    f"install {name} {_major(wrote)}",
                )
        if embedding_model is not None and embedding_model != read.embedding_model:
            before = embedding_model.startswith(read.embedding_model)
            raise BadInput(
                f"the snapshot learned from embeddings of {read.embedding_model}, not of {embedding_model}"
                + (": an earlier version, which did not embed the end of long paragraphs" if before else ""),
                "embed with that model and length, as vectors of two do not mix",
            )
        now = numbers(settings)
        other = sorted(key for key in now if now[key] != read.settings.get(key))
        if other:  # a setting that the snapshot has and there is no more decides nothing
            key = other[0]
            raise BadInput(
                f"the snapshot learned with {key} = {read.settings.get(key)}, not {now[key]}",
                "use its settings",
            )
        return read


def libraries() -> dict[str, str]:
    """Return the versions of the libraries that a topic model's numbers depend on."""
    return {name: version(name) for name in _LIBRARIES}


def _major(version: str) -> str:
    """Return the part of a version whose change may change a model's numbers; before 1.0, the second one."""
    first, _, rest = version.partition(".")
    return f"0.{rest.partition('.')[0]}" if first == "0" else first
