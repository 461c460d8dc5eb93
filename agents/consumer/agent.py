"""Base class of the agents: the topics that an agent reads, and the events that follow from an event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from agents.consumer.dead_letter import Position
from streams.events import Event
from streams.kafka.topics import KafkaTopic


@dataclass(frozen=True, slots=True)
class BatchPolicy:
    """The size of a batch: it is committed after `events` events, or `seconds` after its first event."""

    events: int = 1
    seconds: float = 0.0


class Agent:
    """Base class of a pipeline agent. Subclasses override what they need."""

    name: ClassVar[str]
    reads: ClassVar[tuple[KafkaTopic, ...]]
    batch: ClassVar[BatchPolicy] = BatchPolicy()
    tick_s: ClassVar[float | None] = None
    concurrency: int = 1
    """The number of events handled at a time; each is committed, sent and acknowledged in order, unless an
    earlier one takes long. An agent that overrides `commit` or has a batch with `seconds` handles one."""
    ahead: ClassVar[int] = 0
    """With concurrency: how many events are taken before the first of them is acknowledged."""

    async def start(self) -> Sequence[Event]:
        """Prepare the agent; return events to send before it reads anything."""
        return ()

    async def handle(self, event: Event, at: Position) -> Sequence[Event]:
        """Return the events that follow from an event. Idempotent: the same event gives the same result.

        Raises:
            DataError: the event cannot be processed.
        """
        raise NotImplementedError

    def takes_long(self, event: Event) -> bool:
        """Return whether the outputs of later events may be sent before this one's."""
        return False

    def on_dead_letter(self, at: Position) -> None:
        """Note that a message became a dead letter: it will not come again."""

    async def commit(self) -> Sequence[Event]:
        """Make the batch's effect durable; return events that follow from the batch as a whole."""
        return ()

    def on_outputs_sent(self) -> None:
        """Note that the broker has the outputs of everything committed so far."""

    async def tick(self) -> Sequence[Event]:
        """Return events that are due by the clock; called every `tick_s` seconds."""
        return ()

    async def stop(self) -> None:
        """Release the resources that `start` acquired."""
