"""Selection of the changes that are told: those that gained words name, and that a quote shows."""

from __future__ import annotations

from collections.abc import Sequence

from models.topics.online.words import content_words, stem_of

ENDING = 2
"""Letters by which a longer form of a word may exceed its stem, such as `agentic` that of `agents`."""
SHORTEST = 4
"""Letters that a stem needs to be recognised in a longer form."""


def telling(
    label: str, lost: Sequence[str], gained: Sequence[str], latest: str
) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Return the words by which a topic's change is told, lost and gained; None if it is not told.

    A topic that no longer has a word may have lost it for any reason, and no quote can show an absence: a
    change is told by what is new. That its own words became more frequent says nothing of the topic. A reader
    has to see what is meant: the quote of the latest talks has one of the gained words.

    Args:
        label: the name of the topic.
        lost, gained: words that changed enough, strongest first.
        latest: the text of the quote; empty if there is none.

    >>> telling("Memory", ["alexa", "memory"], ["agents"], "An agent remembers; agents share what they know.")
    (('alexa',), ('agents',))
    >>> telling("Agents", ["chatbots"], ["agentic"], "It is all agentic now.")
    >>> telling("Memory", ["alexa"], [], "It remembers.")
    """
    own = {stem_of(word) for word in content_words(label)}
    new = tuple(word for word in gained if not _is_own(stem_of(word), own))
    shown = {stem_of(word) for word in content_words(latest)}
    if not shown & {stem_of(word) for word in new}:
        return None
    return tuple(word for word in lost if not _is_own(stem_of(word), own)), new


def _is_own(stem: str, own: set[str]) -> bool:
    return any(
        stem == each
        or (
            min(len(stem), len(each)) >= SHORTEST
            and abs(len(stem) - len(each)) <= ENDING
            and (stem.startswith(each) or each.startswith(stem))
        )
        for each in own
    )
