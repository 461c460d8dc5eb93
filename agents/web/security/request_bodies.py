"""Limits on request bodies: bodies of unauthorized requests are not read, and sizes are bounded.

Bodies are read in the event loop that all agents of the process share.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass

from fastapi import HTTPException
from starlette.datastructures import Headers
from starlette.types import Message, Receive

from agents.web.dependencies import RequestRefused
from streams.settings import Settings

MOST = 400_000
"""Maximum bytes of a body: room for a decision with every text at its maximum length, in any script."""
MOST_NESTED = 2000
"""Maximum number of opening brackets in a body. Python's garbage collector visits every list and object,
besides those of the models: 130,000 empty lists in 400 kB held up all agents for most of a second."""
LOGIN_LIMIT = 16_000
"""Maximum bytes of the sign-in form, which everybody may send."""

OPEN = {"/login": LOGIN_LIMIT, "/login/first": LOGIN_LIMIT}
"""Paths that accept a POST without signing in, with the maximum body size in bytes."""
UPLOADS = frozenset({"/files"})
"""Paths of forms that send files."""

LINGER, LINGER_S = 16_000_000, 1.0
"""Bytes read and dropped at most, and for how long (seconds), before a connection is closed."""


class Unread(HTTPException):
    """Refusal of a request body; an HTTPException, as FastAPI passes on no other error while it reads."""

    def __init__(self, why: RequestRefused) -> None:
        super().__init__(why.status, why.cause)
        self.why = why


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one request body.

    Attributes:
        most: maximum number of bytes.
        most_nested: maximum number of opening brackets; None for files, in which they nest nothing.
        cure: what to do if the body is too large.
    """

    most: int
    most_nested: int | None = MOST_NESTED
    cure: str = "send less at a time"


def limits_of(path: str, settings: Settings) -> Limits:
    """Return the limits of a body that is sent to a path."""
    if path not in UPLOADS:
        return Limits(OPEN.get(path, MOST))
    megabytes = settings.web_upload_mb
    return Limits(
        megabytes * 1_000_000 + MOST,
        None,
        f"send at most {megabytes:,} MB at a time, run groundswell ingest FILE on the machine that serves "
        "this page, or set GROUNDSWELL_WEB_UPLOAD_MB",
    )


class Body:
    """The body of one request.

    The server itself drops the unread rest of a short body and keeps the connection open.
    """

    def __init__(
        self, headers: Headers, receive: Receive, limits: Limits, refused: RequestRefused | None
    ) -> None:
        """Accept a body within `limits`, or none if `refused` is given."""
        length = headers.get("Content-Length", "")
        self._receive = receive
        self._limits = limits
        self._size = int(length) if length.isdecimal() else 0
        self._taken = self._nested = 0
        self._refused = refused
        self._unread = self._size > 0 or "Transfer-Encoding" in headers
        self._chunked = "Transfer-Encoding" in headers

    async def receive(self) -> Message:
        """Return the next piece of the body.

        Raises:
            Unread: the client may not send a body, or the body is too large or too nested.
        """
        if self._refused is not None:
            raise Unread(self._refused)
        if self._size > self._limits.most:
            raise self._too_large()
        message = await self._receive()
        if message["type"] == "http.request":
            piece = message.get("body", b"")
            self._taken += len(piece)
            self._unread = message.get("more_body", False)
            if self._taken > self._limits.most:
                raise self._too_large()
            if self._limits.most_nested is not None:
                self._nested += piece.count(b"[") + piece.count(b"{")
                if self._nested > self._limits.most_nested:
                    raise self._too_nested()
        return message

    @property
    def goes_on(self) -> bool:
        """Whether so much of the body is unread that the connection has to be closed."""
        return self._unread and (self._chunked or self._size > self._limits.most)

    async def drop(self) -> None:
        """Read and drop the rest for a moment: a client that is still sending could lose the answer."""
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
                f"this request has more than {self._limits.most_nested:,} brackets and was not read",
                "send fewer lists and objects at a time",
            )
        )

    def _too_large(self) -> Unread:
        return Unread(
            RequestRefused(
                413,
                f"this request has more than {self._limits.most:,} bytes and was not read",
                self._limits.cure,
            )
        )
