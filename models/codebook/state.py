"""The codebook as it stands: what it says of every topic and theme, and what a decision makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class TopicEntry:
    """The codebook's entry of one topic."""

    topic_id: int
    name: str = ""
    """Empty: what a labeller or the model calls it."""
    theme: str = ""
    """Empty: not yet in a theme."""
    retained: bool = True
    target: int | None = None
    """The topic that it counts for; None: itself."""
    reason: str = ""
    """Why it is not retained."""


@dataclass(frozen=True, slots=True)
class TopicRecord:
    """A topic and its entry.

    Attributes:
        own: what a labeller or the model calls it.
        key: of the codebook that seeded it; empty for one that was born.
        alias: the topic that the model merged it into, if it did: no decision about it has any effect then.
        revision: the one that its entry is from; 0: as it was seeded or born.
    """

    entry: TopicEntry
    own: str = ""
    key: str = ""
    alias: int | None = None
    revision: int = 0

    @property
    def called(self) -> str:
        """Its name: what a person decided, else its own."""
        return self.entry.name or self.own


@dataclass(frozen=True, slots=True)
class ThemeRecord:
    """The codebook's entry of one theme."""

    theme: str
    description: str = ""
    removed: bool = False


@dataclass(frozen=True, slots=True)
class CodebookChange:
    """The effect of a decision: complete entries of what it touches, and a description in words."""

    action: str
    said: str
    entries: tuple[TopicEntry, ...] = ()
    themes: tuple[ThemeRecord, ...] = ()
    undoes: int | None = None
    """The revision that it takes back."""


@dataclass(frozen=True, slots=True)
class CodebookState:
    """The codebook as it stands at a revision: topics by id, and themes with their descriptions.

    A theme that a topic is in is always among the themes.
    """

    topics: Mapping[int, TopicRecord] = field(default_factory=dict)
    themes: Mapping[str, str] = field(default_factory=dict)
    revision: int = 0
    model_version: str = ""

    def named(self, topic_id: int) -> str:
        """Return a topic as sentences call it: `RAG Systems (1)`."""
        topic = self.topics.get(topic_id)
        return f"{topic.called} ({topic_id})" if topic is not None and topic.called else f"topic {topic_id}"

    def merges(self, topic_id: int) -> int | None:
        """Return the topic that one was merged into by the model, else by a person; None: by neither."""
        topic = self.topics.get(topic_id)
        return None if topic is None else topic.alias or topic.entry.target

    def counts_as(self, topic_id: int) -> int:
        """Return the topic that one counts for: itself, unless it was merged.

        The model may merge later what a person has merged the other way: a circle is its smallest topic.
        """
        way = self.way(topic_id)
        after = self.merges(way[-1])
        return way[-1] if after is None else min(way[way.index(after) :])

    def way(self, topic_id: int) -> list[int]:
        """Return a topic and those that it counts for one after the other, each once."""
        been = [topic_id]
        while (after := self.merges(been[-1])) is not None and after not in been:
            been.append(after)
        return been

    def within(self, theme: str) -> tuple[TopicRecord, ...]:
        """Return the topics whose entries say this theme, by id."""
        return tuple(topic for _, topic in sorted(self.topics.items()) if topic.entry.theme == theme)

    def after(self, change: CodebookChange) -> CodebookState:
        """Return the codebook as it stands at the next revision, when this is what was decided."""
        revision, topics, themes = self.revision + 1, dict(self.topics), dict(self.themes)
        for entry in change.entries:
            topics[entry.topic_id] = replace(topics[entry.topic_id], entry=entry, revision=revision)
        for theme in change.themes:
            themes.pop(theme.theme, None)
            if not theme.removed:
                themes[theme.theme] = theme.description
        used = {topic.entry.theme for topic in topics.values()} - {""}
        return replace(
            self, topics=topics, themes=dict.fromkeys(sorted(used), "") | themes, revision=revision
        )
