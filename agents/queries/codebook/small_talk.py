"""View of topics that are small talk of shows rather than a subject: to be excluded, all at once."""

from __future__ import annotations

from streams.store.codebook.topic_places import topic_places
from streams.store.rows.topics import TopicPlaces
from streams.store.warehouse import Warehouse


class SmallTalk(TopicPlaces):
    """A topic that counts and is small talk of shows."""

    reason: str
    """Why, with the figures."""


def small_talk(warehouse: Warehouse) -> list[SmallTalk]:
    """Return the topics that count and are small talk of shows: greetings, thanks, where to find people.

    They are told by their place: most of their paragraphs are in the first or last 5 % of their talks, and
    many of their sources' talks have them, in whatever language.
    """
    # The topic model takes a while to import, and commands that read must start fast.
    from models.topics.lifecycle.small_talk import END, SHORT, TalkPlaces

    found = []
    for row in topic_places(warehouse, end=END, short=SHORT):
        places = TalkPlaces(row["paragraphs"], row["at_ends"], row["talks"], row["of_talks"], row["sources"])
        if places.small_talk:
            found.append(SmallTalk(**row, reason=places.small_talk))
    return sorted(found, key=lambda each: (-each["talks"], each["topic_id"]))
