"""Bounds request bodies: none is read for somebody who may not change anything, and never too much.

The loop that reads a body is the one that all agents of the process share.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from fastapi import HTTPException
from starlette.datastructures import Headers
from starlette.types import Message, Receive

from agents.web.dependencies import RequestRefused

MOST = 400_000
"""Bytes that a body may have: a decision whose every text is as long as it may be, in any script."""
MOST_NESTED = 2000
"""Brackets that a body may have. Every list and object is one more for Python's garbage collector to look at,
beside those of the models: 130,000 empty lists in 400 kB held up all agents for most of a second."""
LOGIN_LIMIT = 16_000
"""Bytes of the form to sign in, which everybody may send."""

LINGER, LINGER_S = 16_000_000, 1.0
"""So many bytes, for so long (seconds), are dropped before a connection is closed."""


class Unread(HTTPException):
    """A body that is not taken, and why; FastAPI passes no other error on from where it reads one."""

    def __init__(self, why: RequestRefused) -> None:
        super().__init__(why.status, why.cause)
        self.why = why


class Body:
    """The body of one request.

    What was not read of a short one the server drops by itself, and the connection goes on.
    """

    def __init__(self, headers: Headers, receive: Receive, most: int, refused: RequestRefused | None) -> None:
        """Take at most `most` bytes, or nothing: `refused` says why."""
        length = headers.get("Content-Length", "")
        self._receive = receive
        self._most = most
        self._size = int(length) if length.isdecimal() else 0
        self._taken = self._nested = 0
        self._refused = refused
        self._unread = self._size > 0 or "Transfer-Encoding" in headers
        self._chunked = "Transfer-Encoding" in headers

    async def receive(self) -> Message:
        """Return the next piece.

        Raises:
            Unread: nobody may send one, or it is too large.
        """
        if self._refused is not None:
            raise Unread(self._refused)
        if self._size > self._most:
            raise self._too_large()
        message = await self._receive()
        if message["type"] == "http.request":
            piece = message.get("body", b"")
            self._taken += len(piece)
            self._nested += piece.count(b"[") + piece.count(b"{")
            self._unread = message.get("more_body", False)
            if self._taken > self._most:
                raise self._too_large()
            if self._nested > MOST_NESTED:
                raise self._too_nested()
        return message

    @property
    def goes_on(self) -> bool:
        """Whether more of it comes than anybody waits for, so that the connection has to end."""
        return self._unread and (self._chunked or self._size > self._most)

    async def drop(self) -> None:
        """Drop what comes for a moment: who still sends when the connection is closed may lose the answer."""
        dropped = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER_S):
                while self._unread and dropped < LINGER:
                    message = await self._receive()
                    dropped += len(message.get("body", b""))
                    self._unread = message.get("more_body", False)

    def _too_nested(self) -> Unread:
        return Unread(
            RequestRefused(
                413,
                f"this request has more than {MOST_NESTED:,} brackets, and was not read",
                "send fewer lists and objects at a time",
            )
        )

    def _too_large(self) -> Unread:
        return Unread(
            RequestRefused(
                413,
                f"this request has more than {self._most:,} bytes, and was not read",
                "send less at a time",
            )
        )
