"""Topics that an address names by number: those that they count for, or why there is no number for them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from agents.web.dependencies import RequestRefused
from streams.store.codebook.effective import EffectiveCodebook


class RequestedTopic(NamedTuple):
    """A topic that counts."""

    topic_id: int
    name: str
    instead_of: tuple[str, ...]
    """Names of topics that were asked for and count for this one since they were merged."""


def asked_topics(applied: EffectiveCodebook, topic_ids: Iterable[int]) -> list[RequestedTopic]:
    """Return the topics that count, each once, in the order in which they were asked for.

    Raises:
        RequestRefused: 404, there is no such topic; 422, it is not retained.
    """
    merged: dict[int, list[str]] = {}
    for topic_id in topic_ids:
        entry = applied.entries.get(topic_id)
        if entry is None:
            raise RequestRefused(
                404, f"there is no topic {topic_id}", "choose one of those on the page Topics"
            )
        counts = applied.entries.get(entry.counts_as, entry)
        if not counts.retained:
            why = f" ({counts.reason})" if counts.reason else ""
            raise RequestRefused(
                422,
                f"the topic {counts.name!r} ({counts.topic_id}) is not counted: it was excluded{why}",
                "choose another, or include it again on the page Curation",
            )
        instead_of = merged.setdefault(counts.topic_id, [])
        if counts.topic_id != topic_id:
            instead_of.append(f"{entry.name} ({topic_id})")
    return [
        RequestedTopic(topic_id, applied.entries[topic_id].name, tuple(names))
        for topic_id, names in merged.items()
    ]
