"""Costs of work in processor time, as a ratio to a plain loop, because absolute times differ by machine."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

STEPS = 1_000_000


def of_a_loop() -> float:
    """Return the processor seconds of a plain loop of a million steps in this thread, now."""
    began = time.thread_time()
    for _ in range(STEPS):
        pass
    return time.thread_time() - began


@contextmanager
def within(loops: float) -> Iterator[None]:
    """Assert that a block takes less processor time in this thread than `loops` million-step loops."""
    before = of_a_loop()
    began = time.thread_time()
    yield
    took = time.thread_time() - began
    loop = max(before, of_a_loop())
    assert took < loops * loop, f"it took as long as {took / loop:,.0f} million steps, {loops:,.0f} at most"
