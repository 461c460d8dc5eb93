"""WebSub callback for hubs, /push/{token}: verification and delivery.

It bypasses the access control of the pages: a hub signs its deliveries, has no session, and uses the public
name of this machine, whichever names the pages answer to.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import structlog
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import PlainTextResponse, Response
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from agents.discovery.websub_receiver import BODY_LIMIT, PATH, WebSubReceiver
from streams.errors import DataError, Unavailable

if TYPE_CHECKING:
    from agents.instance.event_publisher import Deliver
    from agents.web.context import WebContext
    from agents.web.view_cache import ViewCache
    from streams.events import Event

log = structlog.get_logger()
BODY_S = 30.0
"""Timeout for receiving a delivery (seconds)."""
AGAIN_S = 60
"""Retry-After for a delivery that could not be passed on (seconds)."""
PLAIN = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}


class Beside:
    """Middleware that routes one path to a separate application, past all other middleware."""

    def __init__(self, app: ASGIApp, path: str, beside: ASGIApp) -> None:
        self._app = app
        self._path = path
        self._beside = beside

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request to one of the two applications."""
        mine = scope["type"] == "http" and scope["path"].startswith(self._path)
        await (self._beside if mine else self._app)(scope, receive, send)


def router(push: WebSubReceiver, deliver: Deliver) -> APIRouter:
    """Return the two routes; `deliver` is called in a thread with the events of each delivery."""
    routes = APIRouter()

    @routes.get(PATH + "{token}")
    async def verify(token: str, request: Request) -> Response:
        """Answer a hub's verification of a subscription."""
        status, body = await asyncio.to_thread(push.verify, token, dict(request.query_params))
        return PlainTextResponse(body, status, PLAIN)

    @routes.post(PATH + "{token}")
    async def take(token: str, request: Request) -> Response:
        """Accept a delivery; 503 if it could not be passed on, so that the hub retries."""
        body = await _body(request)
        if isinstance(body, int):
            push.ignored["too large" if body == 413 else "not whole"] += 1
            return Response(status_code=body, headers=PLAIN | {"Connection": "close"})
        try:
            status = await asyncio.to_thread(_pass_on, push, deliver, token, dict(request.headers), body)
        except Unavailable as error:
            log.warning("a delivery cannot be passed on", cause=error.cause)
            return Response(status_code=503, headers=PLAIN | {"Retry-After": str(AGAIN_S)})
        return Response(status_code=status, headers=PLAIN)

    return routes


def mount(web: FastAPI, push: WebSubReceiver, deliver: Deliver) -> None:
    """Serve /push/{token} in front of everything else in `web`. Call it last."""
    beside = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    beside.include_router(router(push, deliver))
    web.add_middleware(Beside, path=PATH, beside=beside)


def serve(web: FastAPI, runtime: WebContext, kept: ViewCache) -> None:
    """Serve the callback for a process; events take the same way as decisions made on the page."""
    from agents.instance.event_publisher import delivering_from
    from streams.http.client import HttpClient

    settings, parts = runtime.settings, runtime.parts
    reader = HttpClient(settings.proxy, settings.internal_addresses, settings.insecure_tls)

    def deliver(events: Sequence[Event]) -> None:
        with delivering_from(settings, runtime.bootstrap, kept.warehouse) as send:
            send(events)

    mount(web, WebSubReceiver(settings, parts.blobs, reader, parts.now), deliver)


def _pass_on(
    push: WebSubReceiver,
    deliver: Callable[[Sequence[Event]], None],
    token: str,
    headers: dict[str, str],
    body: bytes,
) -> int:
    status, events = push.deliver(token, headers, body)
    if events:
        try:
            deliver(events)
        except DataError as error:  # a retry would fail in the same way
            log.warning("a delivery is ignored", why="cannot be sent", cause=error.cause)
            push.ignored["cannot be sent"] += 1
            return 202
        push.mark_sent(events)
    return status


async def _body(request: Request) -> bytes | int:
    """Return the body, or the HTTP status for refusing it; never hold more than `BODY_LIMIT` bytes."""
    said = request.headers.get("Content-Length", "")
    if said.isdecimal() and int(said) > BODY_LIMIT:
        return 413
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_S):
            async for piece in request.stream():
                body += piece
                if len(body) > BODY_LIMIT:
                    return 413
    except TimeoutError:
        return 408
    except ClientDisconnect:
        return 400
    return bytes(body)
