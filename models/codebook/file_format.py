"""The codebook as a YAML file: to archive, to edit, and to import into a study with existing topics.

A file refers to topics by the key of the codebook that seeded them, which means the same in every study, or
else by their id in the topic model that the file names. An import is one decision: from then on the file's
entries apply, topics that the file does not name stay as they are, and themes that it does not name are
removed unless a topic is in them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from models.codebook.commands import LONG, UNSORTED, changed, clean
from models.codebook.state import CodebookChange, CodebookState, ThemeRecord, TopicEntry, TopicRecord
from models.codebook.undo import entangled
from models.codebook.yaml_files import LOADER
from models.errors import BadInput

SHOWN = 10
"""Maximum number of nonexistent topics that an error names."""
Reference = str | int
"""A topic's key, or its id."""


class FileTheme(BaseModel):
    """A theme and its description."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    description: str = ""


class FileTopic(BaseModel):
    """A topic in the file; what a topic model begins with (`description`, …) is ignored on import."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    key: str | None = None
    id: int | None = None
    name: str = ""
    theme: str = ""
    retained: bool = True
    reason: str = ""
    merged_into: Reference | None = None
    description: str = ""
    definition: str = ""
    terms: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()

    @property
    def reference(self) -> Reference:
        """The topic's key, or its id."""
        return self.key if self.key is not None else (self.id or 0)

    @model_validator(mode="after")
    def _is_one_topic(self) -> FileTopic:
        if (self.key is None) == (self.id is None):
            raise ValueError("a topic has a key or an id, and not both")
        return self


class CodebookFile(BaseModel):
    """A codebook; without `themes` the themes are those of its topics, and an import removes none."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str = ""
    revision: int | None = None
    model: str = ""
    """The version of the topic model that the ids belong to."""
    terms: tuple[str, ...] = ()
    themes: tuple[FileTheme, ...] | None = None
    topics: tuple[FileTopic, ...] = Field(default=())

    @model_validator(mode="after")
    def _each_once(self) -> CodebookFile:
        topics: list[Reference] = [topic.reference for topic in self.topics]
        themes: list[Reference] = [theme.name for theme in self.themes or ()]
        for what, names in (("topics", topics), ("themes", themes)):
            twice = [name for name in names if names.count(name) > 1]
            if twice:
                raise ValueError(f"two {what} are {twice[0]!r}")
        return self


def read(text: str, where: str) -> CodebookFile:
    """Parse a codebook file; `where` names it in errors.

    Raises:
        BadInput: it is not YAML, or not a codebook.
    """
    try:
        return CodebookFile.model_validate(yaml.load(text, LOADER))
    except yaml.YAMLError as error:
        said = " ".join(str(error).split())
        raise BadInput(f"{where} is not YAML ({said})", "correct that line") from error
    except ValidationError as error:
        first = error.errors()[0]
        at = ".".join(str(part) for part in first["loc"]) or "the file"
        raise BadInput(
            f"{where} is not a codebook: wrong at {at} ({first['msg']})",
            "compare it with the output of groundswell codebook export",
        ) from error


def write(standing: CodebookState, name: str) -> str:
    """Return the codebook as YAML, without topics that the model merged into others."""
    whole = _file(
        standing, name, [topic for _, topic in sorted(standing.topics.items()) if topic.alias is None]
    )
    about = whole.model_dump(exclude={"topics", "themes", "terms"}, exclude_none=True)
    about["themes"] = [theme.model_dump(exclude_defaults=True) for theme in whole.themes or ()]
    about["topics"] = [_plain(topic) for topic in whole.topics]
    return yaml.safe_dump(about, sort_keys=False, allow_unicode=True, width=100)


def take_over(standing: CodebookState, file: CodebookFile) -> CodebookChange:
    """Return the change that makes the codebook agree with the file.

    Raises:
        BadInput: the file names topics that do not exist here, is inconsistent, or would change nothing.
    """
    of = f" from {file.name}" if file.name else ""
    return _applied(standing, file, "import", f"the codebook is imported{of}")


def carry_over(standing: CodebookState, earlier: CodebookState, kept: Collection[int] = ()) -> CodebookChange:
    """Return the change that applies the decisions about another model's topics to this model's.

    Decisions about topics that a codebook seeded apply to the topics with the same key, and all decisions
    about themes apply. Decisions about topics that were born do not, since no topic of this model is certain
    to be the same one.

    Args:
        standing: the codebook of this model.
        earlier: the codebook of the other model.
        kept: topics of this model that already have decisions of their own, and stay as they are.

    Raises:
        BadInput: there is nothing to carry over.
    """
    keys = {topic.key for topic_id, topic in standing.topics.items() if topic.key and topic_id not in kept}
    decided = [
        topic
        for _, topic in sorted(earlier.topics.items())
        if topic.revision and topic.key in keys and topic.alias is None
    ]
    file = _file(earlier, "", decided, own=False)
    seeded = {topic.key for topic in standing.topics.values()}
    topics = [
        topic if topic.merged_into in seeded else topic.model_copy(update={"merged_into": None})
        for topic in file.topics
    ]
    said = (
        f"decisions about {len(topics)} seeded topics and about themes are carried over to this topic model"
    )
    return _applied(
        standing, file.model_copy(update={"topics": tuple(topics), "model": ""}), "carry over", said
    )


def _file(standing: CodebookState, name: str, topics: list[TopicRecord], *, own: bool = True) -> CodebookFile:
    """Build the file; with `own`, a topic without a decided name is written with its own name."""
    return CodebookFile(
        name=name,
        revision=standing.revision,
        model=standing.model_version,
        themes=tuple(
            FileTheme(name=name, description=about) for name, about in sorted(standing.themes.items())
        ),
        topics=tuple(
            FileTopic(
                key=topic.key or None,
                id=None if topic.key else topic.entry.topic_id,
                name=topic.called if own else topic.entry.name,
                theme=topic.entry.theme,
                retained=topic.entry.retained,
                reason=topic.entry.reason,
                merged_into=_reference(standing, topic.entry.target),
            )
            for topic in topics
        ),
    )


def _reference(standing: CodebookState, topic_id: int | None) -> Reference | None:
    if topic_id is None or topic_id not in standing.topics:
        return topic_id
    return standing.topics[topic_id].key or topic_id


def _plain(topic: FileTopic) -> dict[str, Any]:
    said = topic.model_dump(exclude_none=True)
    return {
        name: value
        for name, value in said.items()
        if value not in ("", True, ()) or name in ("key", "id", "name", "theme")
    }


def _applied(standing: CodebookState, file: CodebookFile, action: str, said: str) -> CodebookChange:
    ids: dict[Reference, int] = {
        topic.key: topic_id for topic_id, topic in standing.topics.items() if topic.key
    }
    ids |= {topic_id: topic_id for topic_id in standing.topics}
    _all_exist(standing, file, ids)
    entries = [_entry(standing, topic, ids) for topic in file.topics]
    themes = list(_themes(standing, file, entries))
    change = changed(standing, action, said, entries, themes)
    if circle := entangled(standing, change):
        raise BadInput(
            f"the codebook merges topics in a circle: {', '.join(map(standing.named, sorted(circle)))}",
            "let one of them count for itself",
        )
    return change


def _all_exist(standing: CodebookState, file: CodebookFile, ids: Collection[Reference]) -> None:
    named = {topic.reference for topic in file.topics} | {
        topic.merged_into for topic in file.topics if topic.merged_into is not None
    }
    other = file.model not in ("", standing.model_version)
    strange = sorted(str(each) for each in named if each not in ids or (other and isinstance(each, int)))
    if strange:
        more = f" and {len(strange) - SHOWN} more" if len(strange) > SHOWN else ""
        why = f"; its ids are of another topic model, {file.model}" if other else ""
        raise BadInput(
            f"the codebook names topics that do not exist here: {', '.join(strange[:SHOWN])}{more}{why}",
            "take them out of the file, or use the keys or ids that groundswell codebook show lists",
        )


def _entry(standing: CodebookState, topic: FileTopic, ids: dict[Reference, int]) -> TopicEntry:
    topic_id = ids[topic.reference]
    which = f"of topic {topic.reference}"
    name = clean(topic.name, f"the name {which}", needed=False)
    reason = clean(topic.reason, f"the reason {which}", LONG, needed=not topic.retained)
    now = standing.topics[topic_id]
    return TopicEntry(
        topic_id=topic_id,
        name="" if name == now.own and name != now.entry.name else name,
        theme=clean(topic.theme, f"the theme {which}", needed=False),
        retained=topic.retained,
        target=None if topic.merged_into is None else ids[topic.merged_into],
        reason="" if topic.retained else reason,
    )


def _themes(standing: CodebookState, file: CodebookFile, entries: list[TopicEntry]) -> Iterator[ThemeRecord]:
    """Yield the records of all themes that change: those of the file, and those that are removed."""
    used = {entry.theme for entry in entries} - {""}
    if file.themes is None:
        for name in sorted(used - set(standing.themes)):
            yield ThemeRecord(_theme_name(name))
        return
    said = {
        _theme_name(theme.name): clean(
            theme.description, f"the description of {theme.name}", LONG, needed=False
        )
        for theme in file.themes
    }
    if strange := sorted(used - set(said)):
        raise BadInput(
            f"the codebook puts topics into themes that it does not list: {', '.join(strange[:SHOWN])}",
            "add them to its themes",
        )
    for name, description in said.items():
        yield ThemeRecord(name, description)
    spoken = {entry.topic_id for entry in entries}
    used |= {topic.entry.theme for topic_id, topic in standing.topics.items() if topic_id not in spoken}
    for name in sorted(set(standing.themes) - set(said) - used):
        yield ThemeRecord(name, removed=True)


def _theme_name(name: str) -> str:
    wanted = clean(name, "the name of a theme")
    if wanted.casefold() == UNSORTED.casefold():
        raise BadInput(
            f"{UNSORTED!r} is the heading for topics without a theme",
            "remove that theme, and leave the theme of its topics empty",
        )
    return wanted
