"""Selection of the changes that are told: those that gained words name, and that a quote shows."""

from __future__ import annotations

from collections.abc import Sequence

from models.topics.online.words import content_words


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
    import snowballstemmer  # its thirty languages take a tenth of a second to import

    stem_of = snowballstemmer.stemmer("english").stemWord  # that of `agentic` and `agents` is `agent`
    own, shown = ({stem_of(word) for word in content_words(text)} for text in (label, latest))
    old, new = (tuple(word for word in words if stem_of(word) not in own) for words in (lost, gained))
    return (old, new) if shown & {stem_of(word) for word in new} else None
