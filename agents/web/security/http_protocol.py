"""Enforces HTTP for every path: HEAD wherever there is GET, and no request with two lengths."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class OneLength:
    """A middleware that refuses a request with two lengths (RFC 9112, section 6.1).

    A proxy that believes Content-Length, before a server that believes Transfer-Encoding, takes for the body
    of one request what the server takes for the next.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse and close the connection, or pass on."""
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            if "Content-Length" in headers and "Transfer-Encoding" in headers:
                said = {
                    "error": "this request says both Content-Length and Transfer-Encoding",
                    "cure": "send one of the two",
                }
                await JSONResponse(said, 400, {"Connection": "close"})(scope, receive, send)
                return
        await self._app(scope, receive, send)


class Head:
    """A middleware that answers HEAD as GET, without the body (RFC 9110, section 9.3.2)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on as GET, and end with the head of the answer."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        ended = False

        async def head(message: Message) -> None:
            nonlocal ended
            if message["type"] == "http.response.start" and not ended:
                ended = True
                await send(message)
                await send({"type": "http.response.body", "body": b"", "more_body": False})

        async def gone() -> Message:
            # An answer without end (/live) stops when nobody listens any more.
            return {"type": "http.disconnect"} if ended else await receive()

        await self._app({**scope, "method": "GET"}, gone, head)
