"""alert: topics.changed → alerts. Raises alerts for emerged subjects and drifted topics, with evidence.

The alerts depend only on the log, so that a replay raises the same ones. The rest of `agents.alerting`
decides who receives them and when, and raises the alerts that depend on more than one event.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, cast

import structlog

from agents.consumer.consumer import Agent, Position
from agents.queries.wording import drifted
from streams.errors import DataError
from streams.events import AlertRaised, Event, SubjectEmerged, TopicDrifted
from streams.kafka.topics import TOPICS_CHANGED, KafkaTopic
from streams.store.rows.topics import Drift

log = structlog.get_logger()


class Alert(Agent):
    """Turns emergence and drift events into alerts with a reason."""

    name: ClassVar[str] = "alert"
    reads: ClassVar[tuple[KafkaTopic, ...]] = (TOPICS_CHANGED,)

    async def handle(self, event: Event, at: Position) -> Sequence[Event]:
        """Return an alert for an emerged subject or a drifted topic; nothing for other events."""
        match event:
            case SubjectEmerged():
                raised = _emergence(event)
                log.warning("NEW TOPIC", title=raised.title, why=raised.reason)
                return [raised]
            case TopicDrifted():
                return [_drift(event)]
            case _ if type(event) in TOPICS_CHANGED.carries:
                return ()
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
        sequence=emerged.sequence,
    )


def _drift(drift: TopicDrifted) -> AlertRaised:
    doubted = drift.share_after < drift.share_before
    what = {"share": "is spoken of differently often", "words": "has other words", "centre": "has moved"}
    what["meaning"] = "is perhaps not what its name says" if doubted else "is what its name says again"
    said = drifted(cast(Drift, drift.model_dump()))  # the event has the fields of the row, but for the name
    return AlertRaised(
        rule="meaning" if drift.what == "meaning" else "drift",
        model_version=drift.model_version,
        topic_id=drift.topic_id,
        title=f"“{drift.label}” {what[drift.what]}",
        reason=f"{said[0].upper()}{said[1:]}.",
        raised_at=drift.drifted_at,
        sequence=drift.sequence,
        about=drift.what,
        size=abs(drift.share_after - drift.share_before) if drift.what == "share" else drift.moved,
    )
