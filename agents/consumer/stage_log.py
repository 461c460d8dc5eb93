"""The log of stages: one line for each talk that an agent is done with, once that is durable."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from agents.consumer.dead_letter import Position
from streams.events import DeadLettered, Event, VideoEvent
from streams.telemetry import DEAD_LETTERS, EVENTS, HANDLING_SECONDS

log = structlog.get_logger()


def done(agent: str, at: Position, event: Event | None, outputs: Sequence[Event], took_s: float) -> None:
    """Log and count an event that was committed, and whose outputs the broker has.

    Args:
        agent: the agent that is done with it.
        at: the position of its message.
        event: the event; None: the message could not be read.
        outputs: the events that followed from it; a dead letter is the only one.
        took_s: seconds for which the agent handled it, without the wait for its batch.
    """
    letter = next((output for output in outputs if isinstance(output, DeadLettered)), None)
    outcome = "handled" if letter is None else "dead_letter"
    HANDLING_SECONDS.labels(agent).observe(took_s)
    EVENTS.labels(agent, outcome).inc()
    talk = event.key if isinstance(event, VideoEvent) else None
    about = {
        "stage": agent,
        "talk": talk,
        "kind": event and type(event).__name__,
        "event_id": event and event.event_id,
        "outcome": outcome,
        "took_s": round(took_s, 3),
        "topic": at.topic,
        "partition": at.partition,
        "offset": at.offset,
    }
    if letter is None:  # what concerns no talk, such as a change of a topic, is seen at level debug
        (log.info if talk else log.debug)(
            "stage", **about, led_to=[type(output).__name__ for output in outputs]
        )
    else:
        DEAD_LETTERS.labels(agent).inc()
        log.warning("stage", **about, cause=letter.cause, cure=letter.cure)
