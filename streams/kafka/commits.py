"""Workaround for Faust 0.15.3, which commits past an event that is still being processed.

Its gap check is off by one (faust-streaming issue 606), so a kill -9 loses the event in flight.
Remove this module when a release carries the fix (its pull request 707).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def never_commit_past_unacked() -> None:
    """Make every Faust consumer of this process commit only acknowledged events. Idempotent."""
    from faust.transport.consumer import Consumer

    consumer: Any = Consumer
    unpatched: Callable[[Any, Any], int | None] = consumer._new_offset
    if getattr(unpatched, "held_back", False):
        return

    def new_offset(self: Any, tp: Any) -> int | None:
        in_flight = [m.offset for m in list(self._unacked_messages) if m.tp == tp and not m.acked]
        acked = self._acked[tp]
        if not in_flight or not acked:
            return unpatched(self, tp)
        first_unacked = min(in_flight)
        held = [offset for offset in acked if offset >= first_unacked]
        if len(held) == len(acked):
            return None
        acked[:] = [offset for offset in acked if offset < first_unacked]
        try:
            return unpatched(self, tp)
        finally:
            self._acked[tp].extend(held)

    new_offset.held_back = True  # type: ignore[attr-defined]
    consumer._new_offset = new_offset
