"""Web application of a process: health and metrics in every process, pages and API where enabled."""

from __future__ import annotations

import reprlib
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware

from agents.web.dependencies import PeriodReversed, RequestRefused, code_of
from agents.web.security.http_protocol import Head, OneLength
from agents.web.security.request_bodies import Unread
from streams.errors import Explained

if TYPE_CHECKING:
    from agents.web.context import WebContext
    from agents.web.security.access import Say
    from agents.web.site import Site


ZIPPED = 6
"""Gzip level of responses; a higher level saves at most a tenth in size and takes three times as long."""


def build_web(runtime: WebContext) -> FastAPI:
    """Build the application that `runtime` serves."""
    # No docs page, because FastAPI's loads scripts from other hosts; /openapi.json has the same content.
    web = FastAPI(title="Groundswell", docs_url=None, redoc_url=None)
    health = runtime.health

    @web.get("/healthz", include_in_schema=False)
    async def healthz() -> JSONResponse:
        """Return 200 while the process is alive, or 503 with the error that is about to end it."""
        if health.fatal is not None:
            return JSONResponse({"ok": False, "why": str(health.fatal)}, 503)
        return JSONResponse({"ok": True, "agents": list(runtime.names), "lag": health.lag})

    @web.get("/readyz", include_in_schema=False)
    async def readyz() -> JSONResponse:
        """Return 200 when the process is ready, or 503 with the reason."""
        return JSONResponse({"ready": health.ready, "why_not": health.why_not}, 200 if health.ready else 503)

    @web.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        """Return the metrics in Prometheus' exposition format."""
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    if runtime.page:
        from agents.web import live, pages
        from agents.web.api import read, teach, validate, write
        from agents.web.dependencies import readers_warehouse
        from agents.web.security import access
        from agents.web.site import Site
        from agents.web.view_cache import ViewCache

        web.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=ZIPPED)
        kept = ViewCache(readers_warehouse(runtime))
        site = Site(web, runtime, kept)
        read.mount(web, kept, runtime.settings.study)
        live.mount(web, runtime, kept.refresh)
        write.mount(site)
        teach.mount(site)
        validate.mount(site)
        pages.mount(site)
        said = _explain(web, site)
        web.add_middleware(Head)
        access.mount(web, access.Access(runtime.settings, runtime.parts.now), said)
        if runtime.settings.push_url:
            from agents.web import push

            push.serve(web, runtime, kept)
    else:
        web.add_middleware(Head)
    web.add_middleware(OneLength)
    return web


def end(web: FastAPI) -> None:
    """End the event streams at /live: a server waits for open responses, and nothing else ends these."""
    if hasattr(web.state, "live"):
        web.state.live.end()


def _explain(web: FastAPI, site: Site) -> Say:
    """Register the error handlers: cause and cure, as JSON for API requests and as a page otherwise."""

    def said(request: Request, error: Explained) -> Response:
        if request.url.path.startswith("/api/"):
            return JSONResponse({"error": error.cause, "cure": error.cure}, code_of(error))
        return site.say(request, error)

    @web.exception_handler(Explained)
    async def explained(request: Request, error: Explained) -> Response:
        if isinstance(error, PeriodReversed) and not request.url.path.startswith("/api/"):
            given = request.query_params
            swapped = {"first": given["last"], "last": given["first"]}
            return RedirectResponse(
                f"{request.url.path}?{request.url.include_query_params(**swapped).query}", 303
            )
        return said(request, error)

    @web.exception_handler(RequestValidationError)
    async def wrong(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"][1:])
        if first["type"] == "missing":
            return said(request, RequestRefused(422, f"{name} is missing", f"add {name}"))
        value = first.get("input")
        given = (value if isinstance(value, str) else reprlib.repr(value))[:40]
        return said(
            request,
            RequestRefused(422, f"{name} is {given!r}: {first['msg']}", f"correct {name}, or leave it out"),
        )

    @web.exception_handler(HTTPException)
    async def elsewhere(request: Request, error: HTTPException) -> Response:
        path = request.url.path[:80]
        if isinstance(error, Unread):
            answer = said(request, error.why)
        elif error.status_code == 404:
            where = "/api for the list of endpoints" if path.startswith("/api/") else "the menu above"
            answer = said(request, RequestRefused(404, f"there is no page {path}", f"see {where}"))
        elif error.status_code == 405:
            # `Head` makes every GET path answer HEAD too.
            allowed = (error.headers or {}).get("Allow", "another method").replace("GET", "GET, HEAD")
            cause = f"{path} does not accept {request.method[:20]}"
            answer = said(request, RequestRefused(405, cause, f"use {allowed}"))
            error.headers = {"Allow": allowed}
        else:
            answer = said(
                request,
                RequestRefused(error.status_code, str(error.detail), "go back, and correct the request"),
            )
        answer.headers.update(error.headers or {})
        return answer

    return said
