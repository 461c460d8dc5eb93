"""Finding the groundswell that runs a study on this machine: to ask it, and to bring it what people decide.

An embedded database belongs to one process; while that one runs, others ask it over HTTP.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from streams.errors import Misconfigured, Unavailable
from streams.settings import Settings

if TYPE_CHECKING:
    from streams.cluster import Cluster
    from streams.events import Event
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


def ask(settings: Settings, view: str, **parameters: Any) -> Any:
    """Return a view's rows: from the database, or from the process that holds the embedded one.

    Raises:
        Unavailable: nobody answers.
        Misconfigured: the question is wrong (a month that is none, …).
    """
    if settings.embedded_clickhouse and (running := find(settings)) is not None:
        return _over_http(running, view, parameters)
    from agents.views import VIEWS

    with opened(settings) as warehouse:
        return VIEWS[view](warehouse, **parameters)


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


@contextmanager
def delivering(settings: Settings) -> Iterator[Callable[[Sequence[Event]], None]]:
    """Lend a way to bring events to the store: through the broker, or written here where nothing runs.

    Raises:
        Unavailable: the broker does not answer, or a process that only serves the page holds the database.
    """
    cluster = open_cluster(settings)
    if cluster is not None:
        with cluster as broker:

            def send(events: Sequence[Event]) -> None:
                for event in events:
                    broker.send(event)

            yield send
        return
    running = find(settings) if settings.embedded_clickhouse else None
    if running is not None:
        raise Unavailable(
            f"the page of study {settings.study!r} (pid {running.pid}) holds the database and only reads",
            "stop it (groundswell stop), or start groundswell run, which serves the page too",
        )

    def write(events: Sequence[Event]) -> None:
        from streams.store import writer

        with opened(settings) as warehouse:
            writer.write(warehouse, (row for event in events for row in writer.rows_of(event)))

    yield write


def _over_http(running: Running, view: str, parameters: dict[str, Any]) -> Any:
    import httpx

    given = {name: value for name, value in parameters.items() if value is not None}
    try:
        answer = httpx.get(f"{running.url}/api/{view}", params=given, timeout=60, trust_env=False)
    except httpx.HTTPError as error:
        raise Unavailable(
            f"the groundswell of this study (pid {running.pid}) does not answer at {running.url} ({error})",
            "look at its log, or stop it and try again",
        ) from error
    if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
        raise Unavailable(answer.json().get("error", "unavailable"), answer.json().get("cure", "try again"))
    if answer.is_client_error:
        said = answer.json()
        if answer.status_code == httpx.codes.NOT_FOUND and "error" in said:
            return None  # as the view says it when it is asked directly
        raise Misconfigured(
            said.get("error") or f"the question is wrong ({answer.text[:200]})",
            said.get("cure") or "see --help of this command",
        )
    answer.raise_for_status()
    return answer.json()


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
