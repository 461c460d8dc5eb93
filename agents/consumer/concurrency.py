"""Handles several events at a time, and settles them so that none waits for one that takes long.

Events are settled in the order in which they were taken, with one exception: those behind an event that takes
long do not wait for it, unless they have the same key. The broker's position stays below the first event that
is not settled, so after a kill the others come again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _InHand(Generic[T]):
    key: object
    long: bool
    handling: asyncio.Task[T]


class ConcurrentHandling(Generic[T]):
    """The events that a consumer has taken and not yet settled."""

    def __init__(
        self,
        concurrency: int,
        ahead: int,
        handle: Callable[[T], Awaitable[T]],
        settle: Callable[[T], Awaitable[None]],
    ) -> None:
        """Keep the functions.

        Args:
            concurrency: how many events are handled at a time: so many that take long, and so many others.
            ahead: how many events are taken and not yet settled.
            handle: handles an event; its result is settled.
            settle: makes the result durable, sends and acknowledges it; one at a time.
        """
        self._slots = {long: asyncio.Semaphore(concurrency) for long in (False, True)}
        self._room = asyncio.Semaphore(max(ahead, concurrency))
        self._handle = handle
        self._settle = settle
        self._in_hand: list[_InHand[T]] = []
        self._changed = asyncio.Event()

    async def take(self, event: T, key: object, long: bool) -> None:
        """Begin to handle an event as soon as there is room.

        Args:
            event: the event.
            key: events of the same key are settled in order.
            long: whether later events may be settled before it.
        """
        await self._room.acquire()
        handling = asyncio.create_task(self._in_slot(event, long))
        self._in_hand.append(_InHand(key, long, handling))
        handling.add_done_callback(lambda _: self._changed.set())

    async def _in_slot(self, event: T, long: bool) -> T:
        async with self._slots[long]:
            return await self._handle(event)

    async def settle_all(self) -> None:
        """Settle events as they become ready, forever.

        Raises:
            Exception: an event could not be handled or settled.
        """
        while True:
            await self._changed.wait()
            self._changed.clear()
            while (ready := self._ready()) is not None:
                await self._settle(ready.handling.result())
                self._in_hand.remove(ready)
                self._room.release()

    def _ready(self) -> _InHand[T] | None:
        """Return the first event that is handled and waits for no earlier one."""
        waiting: set[object] = set()
        for each in self._in_hand:
            if each.handling.done() and each.key not in waiting:
                return each
            if not each.long:
                return None
            waiting.add(each.key)
        return None

    def cancel(self) -> None:
        """End the handling of all events; they come again."""
        for each in self._in_hand:
            each.handling.cancel()
