"""Deadline for a whole HTTP exchange, so that a server cannot prolong it by sending a byte per minute."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from typing import Any, Self


class Deadline:
    """A `with` block whose connections are shut down after `seconds`.

    A client's own timeouts apply to one piece of an answer, and restart with each piece.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.over = False
        self._ends = time.monotonic() + seconds
        self._socket: socket.socket | None = None
        self._timer = threading.Timer(max(0.0, seconds), self._end)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def trace(self, event: str, info: dict[str, Any]) -> None:
        """Record the connection's socket; pass this method to httpx as the extension `trace`."""
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            self._socket = info["return_value"].get_extra_info("socket")
            if self.over:
                self._end()

    def bounded(self, seconds: float) -> float:
        """Return `seconds`, or the time left if that is less (at least 1 ms)."""
        return max(0.001, min(seconds, self._ends - time.monotonic()))

    @property
    def passed(self) -> bool:
        """Return whether the deadline passed by the clock: pieces already received need no connection."""
        return time.monotonic() >= self._ends

    def _end(self) -> None:
        self.over = True
        connected = self._socket
        if connected is not None:
            with suppress(OSError):
                connected.shutdown(socket.SHUT_RDWR)
