"""Rate-limits failed sign-ins by address: a token cannot be guessed, but nobody needs to try.

Whoever has a right token is not asked here, so no address can keep somebody out who shares it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from datetime import datetime, timedelta

from agents.web.dependencies import RequestRefused

FREE = 5
"""Wrong tokens of one address within `WITHIN`; then it waits."""
WITHIN = timedelta(minutes=1)
REMEMBERED = 1000
"""Addresses that are remembered, the latest; so an attack from many takes no memory."""


class RateLimit:
    """Wrong tokens by address; it may be asked from several threads."""

    def __init__(self) -> None:
        self._wrong: OrderedDict[str, list[datetime]] = OrderedDict()
        self._lock = threading.Lock()

    def wrong(self, address: str, now: datetime) -> None:
        """Remember that an address was wrong.

        Raises:
            RequestRefused: 429, it was so too often of late; that is not remembered.
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
                f"{FREE} wrong tokens came from your address within a minute",
                f"wait {max(1, round(wait))} seconds, and copy the token whole",
            )
