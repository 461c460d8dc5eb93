"""A process that only serves the page: as much of a `Runtime` as the web application looks at."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

import httpx
import studies
from fastapi import FastAPI

from agents.runtime import wiring
from agents.runtime.health import Health
from agents.web.app import build_web
from streams.settings import Settings
from streams.store.warehouse import Warehouse


class Parts(wiring.SharedResources):
    """What a process shares, over a study that is open already."""

    def __init__(self, warehouse: Warehouse, now: Callable[[], datetime] = lambda: studies.TODAY) -> None:
        super().__init__(warehouse.settings, now=now)
        self.warehouse = warehouse


@dataclass
class Process:
    settings: Settings
    parts: Parts
    health: Health = field(default_factory=lambda: Health(ready=True, why_not=""))
    names: tuple[str, ...] = ()
    page: bool = True
    bootstrap: str = ""


def web_of(warehouse: Warehouse, health: Health | None = None) -> FastAPI:
    process: Any = Process(warehouse.settings, Parts(warehouse))
    process.health = health or process.health
    return build_web(process)


@lru_cache(maxsize=1)
def web_shared(warehouse: Warehouse) -> FastAPI:
    """The application over a warehouse, built once for the tests that follow each other: 0.6 s of processor.

    It lives on from test to test as it does from request to request. What a test changes about the process
    itself (its clock, its settings, its health) wants `web_of`, and so does who lets it end.
    """
    return web_of(warehouse)


def client_of(warehouse: Warehouse, health: Health | None = None) -> httpx.AsyncClient:
    """A client of the page over a warehouse; `health`: what a process of its own says of itself."""
    web = web_shared(warehouse) if health is None else web_of(warehouse, health)
    return httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url="http://localhost")
