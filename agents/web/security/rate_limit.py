"""Rate limit for invalid tokens by address; tokens cannot be guessed, but attempts cost resources.

Valid tokens are not limited, so nobody can lock out another user of the same address.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from datetime import datetime, timedelta

from agents.web.dependencies import RequestRefused

FREE = 5
"""Invalid tokens allowed per address within `WITHIN`."""
WITHIN = timedelta(minutes=1)
REMEMBERED = 1000
"""Maximum number of addresses remembered, the latest, so that an attack from many addresses stays bounded."""


class RateLimit:
    """Counter of invalid tokens by address. Thread-safe."""

    def __init__(self) -> None:
        self._wrong: OrderedDict[str, list[datetime]] = OrderedDict()
        self._lock = threading.Lock()

    def wrong(self, address: str, now: datetime) -> None:
        """Record an invalid token from an address.

        Raises:
            RequestRefused: 429, too many invalid tokens recently; this attempt is not recorded.
        """
        with self._lock:
            recent = [each for each in self._wrong.pop(address, ()) if now - each < WITHIN]
            self._wrong[address] = [*recent, now][:FREE]
            while len(self._wrong) > REMEMBERED:
                self._wrong.popitem(last=False)
        if len(recent) >= FREE:
            wait = (recent[-FREE] + WITHIN - now).total_seconds()
            raise RequestRefused(
                429,
                f"{FREE} invalid tokens came from your address within a minute",
                f"wait {max(1, round(wait))} seconds, then send the whole token",
            )
