"""What reviewers think of topics, kept for good: this log is the truth, the database follows it.

The embedded broker forgets when it ends, so a judgement is kept here before it is sent. Judgements are only
ever added; of a reviewer's about a topic, the latest holds.
"""

from __future__ import annotations

from streams.events import TopicJudged
from streams.kafka.codec import decode, encode
from streams.state.blobs import Blobs
from streams.store.warehouse import Warehouse
from streams.timestamps import whole_ms

FOLDER = "judgements"


class Judgements:
    """Every `TopicJudged` of a study, in the blob store."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    def keep(self, event: TopicJudged) -> None:
        """Keep a judgement durably. Keeping it twice is keeping it once."""
        self._blobs.put(f"{FOLDER}/{event.event_id}.json", encode(event))

    def events(self) -> list[TopicJudged]:
        """Return every judgement, oldest first.

        Raises:
            DataError: a file is damaged.
        """
        kept = (decode(self._blobs.get(key)) for key in self._blobs.keys(FOLDER))
        return sorted((event for event in kept if isinstance(event, TopicJudged)), key=_moment)

    def any(self) -> bool:
        """Whether anything was judged."""
        return any(True for _ in self._blobs.keys(FOLDER))


def missing(judgements: Judgements, warehouse: Warehouse) -> list[TopicJudged]:
    """Return the judgements that hold and that the database lacks, oldest first."""
    holding = {(event.model_version, event.topic_id, event.reviewer): event for event in judgements.events()}
    if not holding:
        return []
    held = {
        (row["model_version"], row["topic_id"], row["reviewer"]): row["judged_at"]
        for row in warehouse.rows("SELECT model_version, topic_id, reviewer, judged_at FROM judgements FINAL")
    }
    return [
        event
        for about, event in holding.items()
        if about not in held or held[about] < whole_ms(event.judged_at)
    ]


def _moment(event: TopicJudged) -> tuple[object, ...]:
    return event.judged_at, event.event_id
