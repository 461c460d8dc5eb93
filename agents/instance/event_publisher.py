"""Delivery of people's decisions to the store: through the broker, or written directly if no store runs.

The caller logs each event first, so that nothing is lost if the delivery fails; the store catches up with the
logs when it starts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from agents.instance.running_instance import find, open_cluster, opened
from streams.errors import Explained, Unavailable
from streams.settings import Settings

if TYPE_CHECKING:
    from streams.events import Event
    from streams.kafka.admin import Cluster
    from streams.store.warehouse import Warehouse

Deliver = Callable[[Sequence["Event"]], None]
"""Sends events to the store in order, at least once. Raises Unavailable, or DataError if one is too large."""
PATIENCE_S = 15.0
"""How long to wait for the store (seconds)."""
PAUSE_S = 0.25
SAID_AFTER_S = 2.0


@contextmanager
def delivering(settings: Settings) -> Iterator[Deliver]:
    """Yield a `Deliver` to the store of a study, for a process that neither runs nor serves the study.

    Raises:
        Unavailable: the broker does not answer, or a process that only serves the page holds the database.
    """
    cluster = open_cluster(settings)
    if cluster is not None:
        with cluster:
            yield sending(cluster)
        return
    running = find(settings) if settings.embedded_clickhouse else None
    if running is not None:
        raise Unavailable(
            f"the page of study {settings.study!r} (pid {running.pid}) holds the database",
            "stop it (groundswell stop), or start groundswell run, which serves the page too",
        )

    def write(events: Sequence[Event]) -> None:
        with opened(settings) as warehouse:
            writing(warehouse)(events)

    yield write


@contextmanager
def delivering_from(settings: Settings, bootstrap: str, warehouse: Warehouse) -> Iterator[Deliver]:
    """Yield a `Deliver` for a process that serves the study's page.

    Args:
        settings: the study's settings.
        bootstrap: the address of the broker that this process runs or uses (`Runtime.bootstrap`). If it
            stands for an embedded broker that this process does not run, events are written to `warehouse`.
        warehouse: the database that this process holds, with all its tables.

    Raises:
        Unavailable: the broker does not answer.
    """
    from streams.kafka.admin import Cluster
    from streams.settings import EMBEDDED

    if bootstrap in {"", EMBEDDED}:
        yield writing(warehouse)
        return
    with Cluster(settings, bootstrap) as cluster:
        yield sending(cluster)


def sending(cluster: Cluster) -> Deliver:
    """Return a `Deliver` that sends through an open broker connection."""

    def send(events: Sequence[Event]) -> None:
        for event in events:
            cluster.send(event)

    return send


def writing(warehouse: Warehouse) -> Deliver:
    """Return a `Deliver` that writes into an open database: the rows are there when the call returns."""

    def write(events: Sequence[Event]) -> None:
        from streams.store import writer

        writer.write(warehouse, (row for event in events for row in writer.rows_of(event)))

    return write


def deliver_kept(deliver: Deliver, events: Sequence[Event], kept: str, cure: str) -> None:
    """Deliver events that are already in a log.

    Args:
        deliver: sends the events.
        events: the events.
        kept: the cause of the error if the delivery fails: it says that nothing is lost.
        cure: the cure of that error.

    Raises:
        Unavailable: the delivery failed; with `kept`, the reason, and `cure`.
    """
    try:
        deliver(events)
    except Explained as error:
        raise Unavailable(f"{kept} ({error.cause})", cure) from error


def arrived(
    stored: Callable[[], bool],
    *,
    say: Callable[[str], None],
    pause: Callable[[float], None],
    patience_s: float = PATIENCE_S,
) -> bool:
    """Wait until the store shows the delivered events; return False after a timeout.

    Args:
        stored: returns whether the store shows them.
        say: shows the person a progress message.
        pause: sleeps for a number of seconds.
        patience_s: the timeout (seconds).
    """
    waited, told = 0.0, False
    while not stored():
        if waited >= patience_s:
            return False
        if waited >= SAID_AFTER_S and not told:
            say("waiting for the store …")
            told = True
        pause(PAUSE_S)
        waited += PAUSE_S
    return True
