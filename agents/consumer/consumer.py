"""Runs an agent: decode, handle, commit, send, acknowledge; always in that order.

An agent defines which topics it reads and which events follow from an event. This module alone adds the rest:

* a `DataError` (or the models' `BadInput`) becomes a dead letter, and the other events continue;
* any other error ends the process without acknowledging: a supervisor restarts it and the event comes again;
* after three such deaths the event becomes a dead letter, unless its surroundings were at fault: see
  `agents.consumer.error_attribution`, and decision 31;
* outputs are sent only after `commit` has made the agent's own effect durable, and the event is acknowledged
  only after the broker has the outputs.
"""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog
from opentelemetry.trace import INVALID_SPAN, Span

from agents.consumer import stage_log
from agents.consumer.agent import Agent, BatchPolicy
from agents.consumer.concurrency import ConcurrentHandling
from agents.consumer.dead_letter import Position, dead_letter
from agents.consumer.error_attribution import describe_error, ended, is_the_events
from models.errors import BadInput
from streams.errors import DataError, Fatal
from streams.events import DeadLettered, Event, VideoEvent
from streams.kafka.app import Outlet
from streams.kafka.codec import decode, encode
from streams.kafka.tracing import Tracing, failed
from streams.state.attempts import Attempts
from streams.state.blobs import Blobs
from streams.state.crashes import AtWork
from streams.telemetry import SETTLING_SECONDS

__all__ = ["Agent", "BatchPolicy", "Consumer", "Position"]

log = structlog.get_logger()


@dataclass(slots=True, eq=False)
class _Pending:
    event: Any
    decoded: Event | None = None
    event_id: str = ""
    refused: DataError | BadInput | None = None
    alone: bool = False
    """A process has died at it before: it is committed by itself, so that another death can be attributed."""
    outputs: list[Event] = field(default_factory=list)
    took_s: float = 0.0
    span: Span = INVALID_SPAN


class Consumer:
    """Runs one agent in one process."""

    def __init__(
        self,
        agent: Agent,
        *,
        outlet: Outlet,
        blobs: Blobs,
        study: str,
        log_ids: dict[str, str],
        now: Callable[[], datetime],
        ceiling: int,
        on_fatal: Callable[[BaseException], None],
        at_work: AtWork | None = None,
        tracing: Tracing | None = None,
    ) -> None:
        self.agent = agent
        self._outlet = outlet
        self._blobs = blobs
        self._prefix = f"{study}."
        self._log_ids = log_ids
        self._now = now
        self._ceiling = ceiling
        self._on_fatal = on_fatal
        self._tracing = tracing or Tracing()
        self._attempts = Attempts(blobs, agent.name, at_work)
        self._follows: dict[tuple[str, int], int] = {}
        self._lock = asyncio.Lock()
        self._in_hand = ConcurrentHandling(agent.concurrency, agent.ahead, self._begin, self._took)
        self._pending: list[_Pending] = []
        self._batch_began = 0.0
        self._stream: Any = None
        self._dead_in_a_row = 0
        self._dying = False
        self._stopping = False
        self._at_work = 0
        self.progressed_at = time.monotonic()
        """Monotonic seconds of the last sign of life; the watchdog reads it."""

    @property
    def busy(self) -> bool:
        """Return whether the agent is handling or committing; waiting for the broker does not count."""
        return self._at_work > 0

    async def run(self, stream: Any) -> None:
        """Consume a Faust stream until the app stops."""
        self._stream = stream.noack()
        clocks: list[asyncio.Task[None]] = []
        try:
            for event in await self.agent.start():
                await self._outlet.send(event)
            if self.agent.batch.seconds:
                clocks.append(asyncio.create_task(self._commit_by_clock()))
            if self.agent.tick_s is not None:
                clocks.append(asyncio.create_task(self._tick_by_clock(self.agent.tick_s)))
            if self.agent.concurrency > 1:
                clocks.append(asyncio.create_task(self._commit_when_ready()))
            async for event in self._stream.events():
                if self._dying:
                    await asyncio.Event().wait()  # take no more events; the process ends
                await (self._take if self.agent.concurrency == 1 else self._take_ahead)(event)
        except Exception as error:
            await self._die(error)
        finally:
            for clock in clocks:
                clock.cancel()
            self._in_hand.cancel()
            with suppress(Exception):
                await self.stop()

    async def stop(self) -> None:
        """Stop the agent; errors from now on are not attributed to an event."""
        self._stopping = True
        await self.agent.stop()

    async def _take(self, event: Any) -> None:
        async with self._lock:  # no commit while an event is being handled
            pending = await self._mark(await self._open(event))
            if pending.alone:
                await self._commit()
            if not self._pending:
                self._batch_began = time.monotonic()
            await self._took(await self._handle(pending))

    async def _take_ahead(self, event: Any) -> None:
        pending = await self._open(event)
        decoded = pending.decoded
        long = decoded is not None and self.agent.takes_long(decoded)
        await self._in_hand.take(pending, decoded.key if decoded is not None else pending, long)

    async def _begin(self, pending: _Pending) -> _Pending:
        return await self._handle(await self._mark(pending))

    async def _commit_when_ready(self) -> None:
        try:
            await self._in_hand.settle_all()
        except Exception as error:
            await self._die(error)

    async def _took(self, pending: _Pending) -> None:
        self._pending.append(pending)
        if pending.alone or len(self._pending) >= self.agent.batch.events:
            await self._commit()

    async def _open(self, event: Any) -> _Pending:
        """Decode a message."""
        pending = _Pending(event)
        at = self._position(event)
        if self._follows.get((at.topic, at.partition)) != at.offset:  # another worker may have died at it
            await self._attempts.look_again()
        self._follows[at.topic, at.partition] = at.offset + 1
        try:
            pending.decoded = decode(event.value)
            pending.event_id = pending.decoded.event_id
        except DataError as error:
            pending.refused = error
        except (ValueError, TypeError, LookupError, ArithmeticError, RecursionError) as error:
            # Decoding depends only on the message, so the message is at fault.
            cause = f"the message cannot be read ({type(error).__name__}: {error})"
            pending.refused = DataError(cause, "report it with its bytes, upgrade, then replay")
        pending.span = self._tracing.processing(self.agent.name, event.message, pending.decoded)
        return pending

    async def _mark(self, pending: _Pending) -> _Pending:
        """Record that an event is in process, and look up whether processes have died at it before."""
        if pending.refused is None:
            try:
                pending.alone = await self._attempts.begin(pending.event_id)
            except DataError as error:
                pending.refused = error
        return pending

    async def _handle(self, pending: _Pending) -> _Pending:
        event, began = pending.event, time.monotonic()
        self._at_work += 1
        try:
            if pending.refused is not None:
                raise pending.refused
            assert pending.decoded is not None
            pending.outputs.extend(await self.agent.handle(pending.decoded, self._position(event)))
            for output in pending.outputs:
                encode(output)  # a too large output is this event's fault: find out before the commit
            self._dead_in_a_row = 0
        except (DataError, BadInput) as error:
            pending.outputs = [self._dead_letter(event, pending.decoded, error)]
            failed(pending.span, error)
            self.agent.on_dead_letter(self._position(event))
        except Exception as error:
            raise await self._died([pending], error) from error
        finally:
            self._at_work -= 1
            self.progressed_at = time.monotonic()
            pending.took_s = self.progressed_at - began
        pending.span.add_event("handled")
        return pending

    async def _died(self, batch: Sequence[_Pending], error: Exception) -> Exception:
        """Count a death if an event is at fault, and return the error that ends the process.

        After the death of a batch, each of its events is handled alone.
        """
        for each in batch:
            failed(each.span, error)
            each.span.end()
        if self._stopping or not is_the_events(error):
            return error
        why, told = describe_error(error), "".join(traceback.format_exception(error))
        log.error("died at an event", agent=self.agent.name, exc_info=error)
        try:
            await self._attempts.died([each.event_id for each in batch], why, told)
        except Exception as failure:  # report the first error, not this one
            log.error("cannot count a death", agent=self.agent.name, error=str(failure)[:160])
        return ended(self.agent.name, [each.decoded.key for each in batch if each.decoded], error)

    async def _commit(self) -> None:
        """Commit the batch: durable effect, then outputs, then acknowledgement."""
        if not self._pending:
            return
        batch, self._pending = self._pending, []
        try:
            await self._commit_batch(batch)
        except Exception as error:
            raise await self._died(batch, error) from error
        await self._attempts.done(pending.event_id for pending in batch)
        self.progressed_at = time.monotonic()
        for each in batch:
            at = self._position(each.event)
            stage_log.done(self.agent.name, at, each.decoded, each.outputs, each.took_s)
            each.span.end()

    async def _commit_batch(self, batch: Sequence[_Pending]) -> None:
        with SETTLING_SECONDS.labels(self.agent.name).time():
            self._at_work += 1
            try:
                trailing = await self.agent.commit()
            finally:
                self._at_work -= 1
            for pending in batch:
                for output in pending.outputs:
                    await self._outlet.send(output, pending.span)
            for output in trailing:
                await self._outlet.send(output)
            self.agent.on_outputs_sent()
            for pending in batch:
                await self._stream.ack(pending.event)

    async def _commit_by_clock(self) -> None:
        pause = self.agent.batch.seconds / 4
        try:
            while True:
                await asyncio.sleep(pause)
                async with self._lock:
                    if self._pending and time.monotonic() - self._batch_began >= self.agent.batch.seconds:
                        await self._commit()
        except Exception as error:
            await self._die(error)

    async def _tick_by_clock(self, pause: float) -> None:
        try:
            while True:
                for event in await self.agent.tick():
                    await self._outlet.send(event)
                await asyncio.sleep(pause)
        except Exception as error:
            await self._die(error)

    async def _die(self, error: Exception) -> None:
        """Report the error to the runtime and never acknowledge anything again."""
        self._dying = True
        self._on_fatal(error)  # first, because nothing may prevent it
        log.error(
            "agent stopped", agent=self.agent.name, error=str(error), exc_info=not isinstance(error, Fatal)
        )
        await asyncio.Event().wait()

    def _position(self, event: Any) -> Position:
        message = event.message
        topic = message.topic.removeprefix(self._prefix)
        return Position(self._log_ids.get(topic, ""), topic, message.partition, message.offset)

    def _dead_letter(self, event: Any, decoded: Event | None, error: DataError | BadInput) -> DeadLettered:
        name, at = self.agent.name, self._position(event)
        self._dead_in_a_row += 1
        if self._dead_in_a_row > self._ceiling:
            raise Fatal(
                f"{name} could not process {self._dead_in_a_row} messages in a row, the last because "
                f"{error.cause}",
                "fix the cause (or raise GROUNDSWELL_DEAD_LETTER_CEILING) and start again",
            ) from error
        return dead_letter(
            self._blobs,
            name,
            at,
            payload=event.value or b"",
            error=error,
            now=self._now(),
            video_id=decoded.key if isinstance(decoded, VideoEvent) else None,
            message_key=event.key if isinstance(event.key, bytes) else None,
        )
