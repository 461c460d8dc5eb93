"""The codebook: the topics that a study looks for, with their names and themes.

It is a human decision, stored as YAML. Its descriptions seed the topic model, so that a new user sees topics
from the first talk on; with an empty codebook every topic is born from the talks.
"""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from models.codebook.yaml_files import YamlFiles

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]


class CodebookTopic(BaseModel):
    """One named topic; `key` stays the same when the name is edited.

    Attributes:
        description: how people speak of it.
        definition: what counts as the topic; empty: the description says it.
        terms: words and phrases that speak of it (`models.concepts.terms` has their notation).
        examples: sentences or paragraphs that are about it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: Slug
    name: Text
    theme: Text
    description: Text
    definition: str = ""
    terms: tuple[Text, ...] = ()
    examples: tuple[Text, ...] = ()

    @property
    def seed(self) -> str:
        """Text whose embedding is the topic's first centroid: name and description together.

        On labelled talks, both together placed more paragraphs correctly than the description alone.
        """
        return f"{self.name}. {self.description}"

    @property
    def meaning(self) -> str:
        """Text that says what the topic is: its name and definition, or its description without one."""
        return f"{self.name}: {self.definition or self.description}"


class Codebook(BaseModel):
    """The topics of a study, in the order that gives them their ids (1, 2, …).

    Attributes:
        terms: words and phrases of the study's subject as a whole; empty: the terms of all its topics.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Slug
    terms: tuple[Text, ...] = ()
    topics: tuple[CodebookTopic, ...] = Field(default=())

    @model_validator(mode="after")
    def _each_topic_once(self) -> "Codebook":
        for field in ("key", "name", "description"):
            values = [getattr(topic, field) for topic in self.topics]
            twice = sorted({value for value in values if values.count(value) > 1})
            if twice:
                raise ValueError(f"two topics share the {field} {twice[0]!r}; give each its own")
        return self


_FILES = YamlFiles(
    "codebook",
    "codebooks",
    Codebook,
    "a codebook has a name and topics, and a topic has key, name, theme and description; "
    "see llm-in-production.yaml for an example",
)


def load(name_or_path: str | Path) -> Codebook:
    """Read a codebook that comes with Groundswell, by name, or any other, by path.

    A string without a slash or a `.yaml`/`.yml` ending is a name.

    Raises:
        BadInput: there is no such codebook, or the file is not a valid one.

    >>> load("blank").topics
    ()
    """
    return _FILES.load(name_or_path)


def available() -> tuple[str, ...]:
    """Return the names of the codebooks that come with Groundswell, sorted."""
    return _FILES.available()
