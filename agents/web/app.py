"""The web application of a process: health and metrics always, the page and its API where it is served."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from streams.errors import Unavailable

if TYPE_CHECKING:
    from agents.runtime import Runtime


def build_web(runtime: Runtime) -> FastAPI:
    """Return the application that `runtime` serves."""
    # No docs page: FastAPI's loads scripts from elsewhere. /openapi.json says the same.
    web = FastAPI(title="Groundswell", docs_url=None, redoc_url=None)
    health = runtime.health

    @web.get("/healthz", include_in_schema=False)
    async def healthz() -> JSONResponse:
        """Alive: 200, or 503 when the process is about to end and why."""
        if health.fatal is not None:
            return JSONResponse({"ok": False, "why": str(health.fatal)}, 503)
        return JSONResponse({"ok": True, "agents": list(runtime.names), "lag": health.lag})

    @web.get("/readyz", include_in_schema=False)
    async def readyz() -> JSONResponse:
        """Ready: 200, or 503 and why not."""
        return JSONResponse({"ready": health.ready, "why_not": health.why_not}, 200 if health.ready else 503)

    @web.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        """Prometheus exposition."""
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    @web.exception_handler(Unavailable)
    async def unavailable(request: Request, error: Unavailable) -> Any:
        return JSONResponse({"error": error.cause, "cure": error.cure}, 503)

    if runtime.page:
        from agents.web import api, pages

        api.mount(web, runtime)
        pages.mount(web, runtime)
    return web
