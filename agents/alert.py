"""alert: topics.changed → alerts. What is news is printed and kept; delivery comes later."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import structlog

from agents.stage import Agent, Position
from streams.errors import DataError
from streams.events import AlertRaised, Event, SubjectEmerged
from streams.topics import TOPICS_CHANGED, Topic

log = structlog.get_logger()


class Alert(Agent):
    """Says what is new, and why it says so."""

    name: ClassVar[str] = "alert"
    reads: ClassVar[tuple[Topic, ...]] = (TOPICS_CHANGED,)

    async def handle(self, event: Event, at: Position) -> Sequence[Event]:
        """Return an alert for a subject that talks have begun to speak of."""
        raised = _alert(event)
        if raised is None:
            return ()
        log.warning("NEW TOPIC", title=raised.title, why=raised.reason)
        return [raised]


def _alert(event: Event) -> AlertRaised | None:
    match event:
        case SubjectEmerged():
            return _emergence(event)
        case _ if type(event) in TOPICS_CHANGED.carries:
            return None
        case _:
            raise DataError(f"{type(event).__name__} is not for alert", "drop it")


def _emergence(emerged: SubjectEmerged) -> AlertRaised:
    return AlertRaised(
        rule="emergence",
        model_version=emerged.model_version,
        topic_id=emerged.topic_id,
        title=f"New topic: {emerged.subject}",
        reason=emerged.reason,
        raised_at=emerged.emerged_at,
        video_ids=emerged.video_ids,
        evidence=emerged.evidence,
    )
