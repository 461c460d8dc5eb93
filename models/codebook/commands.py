"""Decisions about topics and themes: pure functions from the current codebook to a change.

A decision maps a `CodebookState` to a `CodebookChange`, which holds the complete new entries of the topics
and themes it affects and nothing else. An invalid decision raises `BadInput` and changes nothing. Undo is in
`models.codebook.undo`.
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable
from dataclasses import replace

from models.codebook.state import CodebookChange, CodebookState, ThemeRecord, TopicEntry, TopicRecord
from models.errors import BadInput

LIMIT = 200
"""Maximum characters of a name."""
LONG = 2000
"""Maximum characters of a reason, a note or a description."""
UNSORTED = "Not yet in a theme"
"""Heading for topics without a theme; no theme may have this name."""
SEE_TOPICS = "list the topics with groundswell codebook show"
SEE_THEMES = "see groundswell codebook show, or create it with groundswell codebook theme create"


def exclude(standing: CodebookState, topic_id: int, reason: str) -> CodebookChange:
    """Exclude a topic, with all topics merged into it, from the counts."""
    entry = _independent(standing, topic_id).entry
    why = clean(reason, "the reason", LONG)
    others = sum(standing.counts_as(other) == topic_id for other in standing.topics) - 1
    also = f", and so {'are' if others > 1 else 'is'} {others} merged into it" if others else ""
    said = f"{standing.named(topic_id)} is excluded{also}: {why}"
    return changed(standing, "exclude", said, [replace(entry, retained=False, reason=why)])


def exclude_all(standing: CodebookState, topic_ids: Iterable[int], reason: str) -> CodebookChange:
    """Exclude several topics, each with all topics merged into it, as one decision that one undo takes back.

    Those that are excluded already keep their own reason.
    """
    wanted = list(dict.fromkeys(topic_ids))
    if not wanted:
        raise BadInput("there is no topic to exclude", "name one at least")
    entries = [_independent(standing, topic_id).entry for topic_id in wanted]
    why = clean(reason, "the reason", LONG)
    named = ", ".join(standing.named(entry.topic_id) for entry in entries if entry.retained)
    said = f"excluded: {named}: {why}"
    return changed(
        standing,
        "exclude",
        said,
        [replace(entry, retained=False, reason=why) for entry in entries if entry.retained],
    )


def include(standing: CodebookState, topic_id: int) -> CodebookChange:
    """Include an excluded topic in the counts again."""
    entry = _independent(standing, topic_id).entry
    said = f"{standing.named(topic_id)} is included"
    return changed(standing, "include", said, [replace(entry, retained=True, reason="")])


def merge(standing: CodebookState, topic_id: int, into: int) -> CodebookChange:
    """Make a topic, with all topics merged into it, count as another one."""
    entry, _ = known(standing, topic_id).entry, known(standing, into)
    if topic_id == into:
        raise BadInput(f"{standing.named(into)} cannot be merged into itself", "name two topics")
    ends = standing.counts_as(into)
    if topic_id in standing.way(into):
        raise BadInput(
            f"{standing.named(into)} counts for {standing.named(topic_id)} already, not the other way round",
            f"split {into} first to change that",
        )
    if not standing.topics[ends].entry.retained:
        raise BadInput(
            f"{standing.named(ends)} is excluded, so a topic merged into it would not count",
            f"include {ends} first, or exclude {topic_id}",
        )
    said = f"{standing.named(topic_id)} counts for {standing.named(into)}"
    if not entry.retained:
        said += ", although it was excluded by itself"
    return changed(standing, "merge", said, [replace(entry, target=into)])


def split(standing: CodebookState, topic_id: int) -> CodebookChange:
    """Make a topic that a person merged count for itself again."""
    entry = known(standing, topic_id).entry
    if entry.target is None:
        raise BadInput(f"{standing.named(topic_id)} is not merged into another one", SEE_TOPICS)
    said = f"{standing.named(topic_id)} counts for itself again, no longer for {standing.named(entry.target)}"
    return changed(standing, "split", said, [replace(entry, target=None)])


def rename(standing: CodebookState, topic_id: int, name: str) -> CodebookChange:
    """Give a topic another name, which no other independent topic may have."""
    entry, wanted = _independent(standing, topic_id).entry, clean(name, "the name of the topic")
    same = [
        other
        for other, topic in standing.topics.items()
        if topic.called.casefold() == wanted.casefold()
        and standing.merges(other) is None
        and other != topic_id
    ]
    if same:
        raise BadInput(
            f"{standing.named(same[0])} already has this name",
            f"merge {topic_id} into {same[0]} if they are the same topic, or choose another name",
        )
    said = f"{standing.named(topic_id)} is called {wanted}"
    return changed(standing, "rename", said, [replace(entry, name=wanted)])


def assign(standing: CodebookState, topic_id: int, theme: str) -> CodebookChange:
    """Put a topic into an existing theme; an empty name takes it out of its theme."""
    entry = _independent(standing, topic_id).entry
    wanted = theme_of(standing, theme) if theme.strip() else ""
    said = (
        f"{standing.named(topic_id)} belongs to {wanted}"
        if wanted
        else f"{standing.named(topic_id)} is in no theme"
    )
    if entry.theme:
        said += f", no longer to {entry.theme}" if wanted else f" any more (it was in {entry.theme})"
    return changed(standing, "assign", said, [replace(entry, theme=wanted)])


def create_theme(standing: CodebookState, name: str, description: str = "") -> CodebookChange:
    """Create a theme."""
    wanted = _free(standing, name)
    about = clean(description, "the description", LONG, needed=False)
    return changed(
        standing, "create theme", f"there is a theme {wanted}", themes=[ThemeRecord(wanted, about)]
    )


def describe_theme(standing: CodebookState, name: str, description: str) -> CodebookChange:
    """Set a theme's description."""
    theme, about = theme_of(standing, name), clean(description, "the description", LONG)
    return changed(
        standing, "describe theme", f"{theme} is about: {about}", themes=[ThemeRecord(theme, about)]
    )


def rename_theme(standing: CodebookState, name: str, other: str) -> CodebookChange:
    """Rename a theme; its topics move with it."""
    old, new = theme_of(standing, name), _free(standing, other, but=name)
    entries = [replace(topic.entry, theme=new) for topic in standing.within(old)]
    themes = [ThemeRecord(old, removed=True), ThemeRecord(new, standing.themes[old])] if new != old else []
    return changed(standing, "rename theme", f"the theme {old} is called {new}", entries, themes)


def remove_theme(standing: CodebookState, name: str) -> CodebookChange:
    """Remove a theme without topics of its own; topics merged into others lose the theme."""
    theme = theme_of(standing, name)
    inside = [topic.entry for topic in standing.within(theme)]
    own = [entry.topic_id for entry in inside if standing.merges(entry.topic_id) is None]
    if own:
        raise BadInput(
            f"{theme} has topics: {', '.join(standing.named(topic_id) for topic_id in own)}",
            "assign them to other themes first, excluded ones too",
        )
    entries = [replace(entry, theme="") for entry in inside]
    return changed(
        standing, "remove theme", f"the theme {theme} is removed", entries, [ThemeRecord(theme, removed=True)]
    )


def changed(
    standing: CodebookState,
    action: str,
    said: str,
    entries: Iterable[TopicEntry] = (),
    themes: Iterable[ThemeRecord] = (),
    *,
    undoes: int | None = None,
) -> CodebookChange:
    """Return the change that these entries and themes make, without those that are unchanged.

    Raises:
        BadInput: nothing would change.
    """
    news = tuple(entry for entry in entries if entry != standing.topics[entry.topic_id].entry)
    themes_now = tuple(
        theme
        for theme in themes
        if standing.themes.get(theme.theme) != (None if theme.removed else theme.description)
    )
    if not news and not themes_now:
        raise BadInput(f"this would change nothing ({said})", "see groundswell codebook show")
    return CodebookChange(action, said, news, themes_now, undoes)


def clean(text: str, what: str, limit: int = LIMIT, *, needed: bool = True) -> str:
    """Return a text as one line, without surrounding space.

    Raises:
        BadInput: it is empty (and needed), longer than the limit, or has control characters or surrogates.
    """
    cleaned = " ".join(text.split())
    if needed and not cleaned:
        raise BadInput(f"{what} is empty", "write at least one word")
    if len(cleaned) > limit:
        raise BadInput(
            f"{what} has {len(cleaned):,} characters, over the limit of {limit:,}", "make it shorter"
        )
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in cleaned):
        raise BadInput(f"{what} has control characters", "write it without them")
    return cleaned


def known(standing: CodebookState, topic_id: int) -> TopicRecord:
    """Return a topic that can be decided about.

    Raises:
        BadInput: there is no such topic, or the model merged it into another one.
    """
    topic = standing.topics.get(topic_id)
    if topic is None:
        raise BadInput(f"there is no topic {topic_id}", SEE_TOPICS)
    if topic.alias is not None:
        ends = standing.counts_as(topic_id)
        raise BadInput(
            f"{standing.named(topic_id)} is a part of {standing.named(ends)}, since the model merged them",
            f"decide about topic {ends}",
        )
    return topic


def _independent(standing: CodebookState, topic_id: int) -> TopicRecord:
    """Return a topic that is not merged into another, so that a decision about it has an effect."""
    topic = known(standing, topic_id)
    if topic.entry.target is not None:
        ends = standing.counts_as(topic_id)
        raise BadInput(
            f"{standing.named(topic_id)} counts for {standing.named(ends)}, so this would change nothing",
            f"decide about topic {ends}, or split {topic_id} first",
        )
    return topic


def theme_of(standing: CodebookState, name: str) -> str:
    """Return the name of an existing theme.

    Raises:
        BadInput: there is no such theme.
    """
    wanted = clean(name, "the name of the theme")
    if wanted in standing.themes:
        return wanted
    folded = {theme.casefold(): theme for theme in standing.themes}
    near = difflib.get_close_matches(wanted.casefold(), folded, n=1, cutoff=0.5)
    meant = f"did you mean {folded[near[0]]!r}? Else " if near else ""
    raise BadInput(f"there is no theme {wanted!r}", f"{meant}{SEE_THEMES}")


def _free(standing: CodebookState, name: str, but: str = "") -> str:
    """Return a name that no theme has in any letter case, except the theme `but`."""
    wanted = clean(name, "the name of the theme")
    if wanted.casefold() == UNSORTED.casefold():
        raise BadInput(
            f"{UNSORTED!r} is the heading for topics without a theme, so no theme can have this name",
            "choose another name",
        )
    same = [theme for theme in standing.themes if theme.casefold() == wanted.casefold() and theme != but]
    if same:
        raise BadInput(
            f"there is a theme {same[0]!r} already", "choose another name, or assign the topics to that one"
        )
    return wanted
