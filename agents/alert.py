"""alert: topics.changed → alerts. A topic that emerged is printed and kept; delivery comes later."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import structlog

from agents.stage import Agent, Position
from streams.errors import DataError
from streams.events import AlertRaised, Event, TopicBorn, TopicChanged, TopicDrifted
from streams.topics import TOPICS_CHANGED, Topic

log = structlog.get_logger()
WORDS_SHOWN = 6


class Alert(Agent):
    """Says what is new, and why it says so."""

    name: ClassVar[str] = "alert"
    reads: ClassVar[tuple[Topic, ...]] = (TOPICS_CHANGED,)

    async def handle(self, event: Event, at: Position) -> Sequence[Event]:
        """Return an alert for a topic that emerged from talks."""
        match event:
            case TopicBorn(origin="born"):
                raised = _new_topic(event)
                log.warning("NEW TOPIC", title=raised.title, why=raised.reason)
                return [raised]
            case TopicBorn() | TopicChanged() | TopicDrifted():
                return ()
            case _:
                raise DataError(f"{type(event).__name__} is not for alert", "drop it")


def _new_topic(born: TopicBorn) -> AlertRaised:
    words = ", ".join(word for word, _ in born.words[:WORDS_SHOWN])
    return AlertRaised(
        rule="new topic",
        model_version=born.model_version,
        topic_id=born.topic_id,
        title=f"New topic: {born.label}",
        reason=f"{len(born.video_ids)} talks speak alike about something no topic covered: {words}",
        raised_at=born.emerged_at,
        video_ids=born.video_ids,
    )
