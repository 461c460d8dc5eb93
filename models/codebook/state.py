"""State of the codebook: the entries of all topics and themes, and the effect of a decision on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class TopicEntry:
    """The codebook's entry of one topic."""

    topic_id: int
    name: str = ""
    """Empty: the name that a labeller or the model gave it."""
    theme: str = ""
    """Empty: not in a theme yet."""
    retained: bool = True
    target: int | None = None
    """The topic that it counts as; None: itself."""
    reason: str = ""
    """Why the topic is excluded."""


@dataclass(frozen=True, slots=True)
class TopicRecord:
    """A topic and its entry.

    Attributes:
        own: the name that a labeller or the model gave it.
        key: its key in the codebook that seeded it; empty for a topic that was born.
        alias: the topic that the model merged it into, or None; a merged topic ignores all decisions.
        revision: the revision that its entry comes from; 0: unchanged since it was seeded or born.
    """

    entry: TopicEntry
    own: str = ""
    key: str = ""
    alias: int | None = None
    revision: int = 0

    @property
    def called(self) -> str:
        """The name that a person decided, else its own."""
        return self.entry.name or self.own


@dataclass(frozen=True, slots=True)
class ThemeRecord:
    """The codebook's entry of one theme."""

    theme: str
    description: str = ""
    removed: bool = False


@dataclass(frozen=True, slots=True)
class CodebookChange:
    """The effect of a decision: the complete entries that it changes, and a description in words."""

    action: str
    said: str
    entries: tuple[TopicEntry, ...] = ()
    themes: tuple[ThemeRecord, ...] = ()
    undoes: int | None = None
    """The revision that it undoes."""


@dataclass(frozen=True, slots=True)
class CodebookState:
    """The codebook at a revision: topics by id, and themes with their descriptions.

    The themes include the theme of every topic.
    """

    topics: Mapping[int, TopicRecord] = field(default_factory=dict)
    themes: Mapping[str, str] = field(default_factory=dict)
    revision: int = 0
    model_version: str = ""

    def named(self, topic_id: int) -> str:
        """Return a topic's name and id for messages: `RAG Systems (1)`."""
        topic = self.topics.get(topic_id)
        return f"{topic.called} ({topic_id})" if topic is not None and topic.called else f"topic {topic_id}"

    def merges(self, topic_id: int) -> int | None:
        """Return the topic that the model, else a person, merged this one into; None: not merged."""
        topic = self.topics.get(topic_id)
        return None if topic is None else topic.alias or topic.entry.target

    def counts_as(self, topic_id: int) -> int:
        """Return the topic that this one counts as: itself, unless it was merged.

        The model may merge two topics that a person has merged in the opposite direction; such a cycle counts
        as its smallest id.
        """
        way = self.way(topic_id)
        after = self.merges(way[-1])
        return way[-1] if after is None else min(way[way.index(after) :])

    def way(self, topic_id: int) -> list[int]:
        """Return a topic and the chain of topics that it is merged into, each once."""
        been = [topic_id]
        while (after := self.merges(been[-1])) is not None and after not in been:
            been.append(after)
        return been

    def within(self, theme: str) -> tuple[TopicRecord, ...]:
        """Return the topics whose entries name this theme, by id."""
        return tuple(topic for _, topic in sorted(self.topics.items()) if topic.entry.theme == theme)

    def after(self, change: CodebookChange) -> CodebookState:
        """Return the codebook at the next revision, after this change."""
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
