"""Topics requested by number: resolved to the topics that they count as, or refused with the reason."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from agents.web.dependencies import RequestRefused
from streams.store.codebook.effective import EffectiveCodebook


class RequestedTopic(NamedTuple):
    """A requested topic that counts."""

    topic_id: int
    name: str
    instead_of: tuple[str, ...]
    """Names of requested topics that were merged into this one."""


def asked_topics(applied: EffectiveCodebook, topic_ids: Iterable[int]) -> list[RequestedTopic]:
    """Return the topics that count, each once, in the order of the request.

    Raises:
        RequestRefused: 404, there is no such topic; 422, it is not retained.
    """
    merged: dict[int, list[str]] = {}
    for topic_id in topic_ids:
        entry = applied.entries.get(topic_id)
        if entry is None:
            raise RequestRefused(404, f"there is no topic {topic_id}", "choose one on the Topics page")
        counts = applied.entries.get(entry.counts_as, entry)
        if not counts.retained:
            why = f" ({counts.reason})" if counts.reason else ""
            raise RequestRefused(
                422,
                f"the topic {counts.name!r} ({counts.topic_id}) does not count, because it was excluded{why}",
                "choose another topic, or include this one again on the Curation page",
            )
        instead_of = merged.setdefault(counts.topic_id, [])
        if counts.topic_id != topic_id:
            instead_of.append(f"{entry.name} ({topic_id})")
    return [
        RequestedTopic(topic_id, applied.entries[topic_id].name, tuple(names))
        for topic_id, names in merged.items()
    ]
