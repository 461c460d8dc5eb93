"""Finding the groundswell that runs a study on this machine, its broker and its database.

An embedded database belongs to one process; a broker of its own lives as long as that process.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from streams.errors import Unavailable
from streams.settings import Settings

if TYPE_CHECKING:
    from streams.cluster import Cluster
    from streams.store.warehouse import Warehouse


@dataclass(frozen=True, slots=True)
class Running:
    """A groundswell process that serves a page."""

    pid: int
    url: str
    broker: str
    """Address of its broker; empty when it only serves the page."""


def find(settings: Settings) -> Running | None:
    """Return the process that serves this study here, or None. A file left by a killed one is ignored."""
    import psutil

    with suppress(FileNotFoundError, ValueError, KeyError):
        about = json.loads(settings.running_file.read_text())
        running = Running(pid=about["pid"], url=about["url"], broker=about["broker"])
        with suppress(psutil.Error):
            process = psutil.Process(running.pid)
            started = settings.running_file.stat().st_mtime
            if process.status() != psutil.STATUS_ZOMBIE and process.create_time() <= started + 1:
                return running
    return None


@contextmanager
def opened(settings: Settings) -> Iterator[Warehouse]:
    """Lend the study's database, with all its tables.

    Raises:
        Unavailable: it does not answer, or a server lacks tables.
        Misconfigured: another process holds the embedded one.
    """
    from streams.store.warehouse import Warehouse

    with Warehouse(settings, patience_s=10) as warehouse:
        if settings.embedded_clickhouse:
            warehouse.migrate()
        elif missing := warehouse.missing_migrations():
            raise Unavailable(
                f"{warehouse.where} lacks the tables of study {settings.study!r} (migrations {missing})",
                "run groundswell migrate",
            )
        yield warehouse


def open_cluster(settings: Settings) -> Cluster | None:
    """Return the broker of this study, or None when it is embedded and not running."""
    from streams.cluster import Cluster

    if not settings.embedded_broker:
        cluster = Cluster(settings, settings.broker)
        cluster.wait(patience_s=10)
        cluster.ensure_topics()
        return cluster
    running = find(settings)
    return Cluster(settings, running.broker) if running is not None and running.broker else None
