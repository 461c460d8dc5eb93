"""A process that only serves the page: the parts of a `Runtime` that the web application uses."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

import httpx
import platformdirs
import studies
from fastapi import FastAPI

from agents.runtime import wiring
from agents.runtime.health import Health
from agents.web.app import build_web
from models.bundled_models import prepare
from models.embedding.embedder import Embedder
from streams.settings import Settings
from streams.store.warehouse import Warehouse


class Parts(wiring.SharedResources):
    """Shared resources of a process, over a warehouse that is open already."""

    def __init__(self, warehouse: Warehouse, now: Callable[[], datetime] = lambda: studies.TODAY) -> None:
        super().__init__(warehouse.settings, now=now)
        self.warehouse = warehouse


class Loaded(Parts):
    """Shared resources with the embedding model, which count its uses."""

    asked = 0
    _embedder: Embedder | None = None

    @property
    def embedder(self) -> Embedder:
        """Return the real embedding model."""
        self.asked += 1
        if self._embedder is None:
            models = prepare(platformdirs.user_cache_path("groundswell") / "models")
            self._embedder = Embedder(models.embedding, "cpu", 1, max_tokens=300)
        return self._embedder


@dataclass
class Process:
    settings: Settings
    parts: Parts
    health: Health = field(default_factory=lambda: Health(reasons={}))
    names: tuple[str, ...] = ()
    page: bool = True
    bootstrap: str = ""


def web_of(warehouse: Warehouse, health: Health | None = None, parts: Parts | None = None) -> FastAPI:
    process: Any = Process(warehouse.settings, parts or Parts(warehouse))
    process.health = health or process.health
    return build_web(process)


@lru_cache(maxsize=1)
def web_shared(warehouse: Warehouse) -> FastAPI:
    """Return the application over a warehouse, built once for consecutive tests: it takes 0.6 s of processor.

    Tests share it as requests do. A test that changes the process itself (its clock, its settings, its
    health), or lets the application end, needs `web_of`.
    """
    return web_of(warehouse)


def client_of(warehouse: Warehouse, health: Health | None = None) -> httpx.AsyncClient:
    """Return a client of the page over a warehouse; with `health`, of a separate process with that health."""
    web = web_shared(warehouse) if health is None else web_of(warehouse, health)
    return httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url="http://localhost")
