"""A moment by which a conversation over HTTP ends, also with somebody who says a byte a minute."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from typing import Any, Self


class Deadline:
    """A `with` block whose connections are shut down after so many seconds.

    A client's own time limits hold for one piece of an answer, and begin anew with each.
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
        """Learn of the connection; to be given to httpx as the extension `trace`."""
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            self._socket = info["return_value"].get_extra_info("socket")
            if self.over:
                self._end()

    def bounded(self, seconds: float) -> float:
        """Return so many seconds, or what is left (never nothing)."""
        return max(0.001, min(seconds, self._ends - time.monotonic()))

    @property
    def passed(self) -> bool:
        """Whether it is over by the clock: pieces that are there already need no connection."""
        return time.monotonic() >= self._ends

    def _end(self) -> None:
        self.over = True
        connected = self._socket
        if connected is not None:
            with suppress(OSError):
                connected.shutdown(socket.SHUT_RDWR)
