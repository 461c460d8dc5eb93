"""HTTP rules for every path: HEAD wherever GET works, and no request with two lengths."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class OneLength:
    """Middleware that refuses a request with two lengths (RFC 9112, section 6.1).

    A proxy that goes by Content-Length, in front of a server that goes by Transfer-Encoding, can take for a
    request's body what the server takes for the next request (request smuggling).
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse the request and close the connection, or pass it on."""
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            if "Content-Length" in headers and "Transfer-Encoding" in headers:
                said = {
                    "error": "this request has both Content-Length and Transfer-Encoding",
                    "cure": "send only one of the two",
                }
                await JSONResponse(said, 400, {"Connection": "close"})(scope, receive, send)
                return
        await self._app(scope, receive, send)


class Head:
    """Middleware that answers HEAD as GET, without the body (RFC 9110, section 9.3.2)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass HEAD on as GET, and end the response after its headers."""
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
            # The endless response of /live stops when the client disconnects.
            return {"type": "http.disconnect"} if ended else await receive()

        await self._app({**scope, "method": "GET"}, gone, head)
