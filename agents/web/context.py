"""Interface of the serving process to the web application."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol

from models.embedding.embedder import Embedder
from streams.settings import Settings
from streams.state.blobs import Blobs
from streams.store.warehouse import Warehouse
from streams.youtube.client import YouTube
from streams.youtube.request_budget import Governor


class ProcessHealth(Protocol):
    """The health of the process."""

    @property
    def ready(self) -> bool:
        """Whether the process is ready."""

    @property
    def why_not(self) -> str:
        """Reason why the process is not ready."""

    @property
    def fatal(self) -> BaseException | None:
        """The error that ends the process, if any."""

    @property
    def lag(self) -> Mapping[str, int]:
        """Consumer lag in messages, by agent."""


class ProcessParts(Protocol):
    """The parts of the process that pages use."""

    @property
    def now(self) -> Callable[[], datetime]:
        """The clock."""

    @property
    def blobs(self) -> Blobs:
        """The study's blob store."""

    @property
    def warehouse(self) -> Warehouse:
        """The study's database."""

    @property
    def youtube(self) -> YouTube:
        """The YouTube client."""

    @property
    def embedder(self) -> Embedder:
        """The embedding model."""

    @property
    def governor(self) -> Governor:
        """The budget of requests to YouTube."""


class WebContext(Protocol):
    """A process that serves the page."""

    @property
    def settings(self) -> Settings:
        """The settings of the study."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the agents that the process runs."""

    @property
    def page(self) -> bool:
        """Whether the process serves pages; otherwise only health and metrics."""

    @property
    def bootstrap(self) -> str:
        """Address of its broker."""

    @property
    def health(self) -> ProcessHealth:
        """Return the health of the process."""

    @property
    def parts(self) -> ProcessParts:
        """Return the parts that the process was assembled from."""
