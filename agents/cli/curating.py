"""What the commands that decide share: who decides, and a curator that reaches the store of the study."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

from agents.cli.console import load_settings, tell

if TYPE_CHECKING:
    from agents.curate import Curator
    from models.standing import Change, Standing
    from streams.cluster import Cluster
    from streams.events import CodebookDecided, Event
    from streams.settings import Settings

TOPIC = typer.Argument(metavar="TOPIC", help="The topic's id, as `codebook show` has it.")
AUTHOR = typer.Option(
    "", "--author", envvar="GROUNDSWELL_AUTHOR", help="Who decides; the login name, if it is not said."
)
NOTE = typer.Option("", "--note", help="What else is to be remembered about it.")
EXPECT = typer.Option(
    None, "--expect", metavar="REVISION", help="Decide only if this is still the newest revision."
)


def decided(
    decision: Callable[[Standing], Change], author: str, note: str, expected: int | None
) -> CodebookDecided:
    """Make a decision, and say what it was."""
    with curating(author) as curator:
        return told(curator.decide(decision, note, expected))


def told(event: CodebookDecided) -> CodebookDecided:
    """Say what was decided, under which revision."""
    tell(f"revision {event.revision}: {event.said}")
    return event


@contextmanager
def curating(author: str) -> Iterator[Curator]:
    """Lend a curator of the study. What it decides is sent to the broker, or written where none runs.

    Raises:
        Misconfigured: nobody says who decides.
        Unavailable: the broker does not answer, or a process that only serves the page holds the database.
    """
    from agents.cli.running import ask, open_cluster
    from agents.curate import Curator
    from agents.registry import utc_now
    from streams.blobs import Blobs

    settings = load_settings()
    cluster = open_cluster(settings)
    if cluster is None:
        _is_free(settings)

    def deliver(events: Sequence[Event]) -> None:
        if cluster is None:
            _write(settings, events)
        else:
            _send(cluster, events)

    def asked(view: str, **parameters: Any) -> Any:
        return ask(settings, view, **parameters)

    try:
        yield Curator(Blobs(settings.blobs_url), asked, deliver, utc_now, author or _login(), say=tell)
    finally:
        if cluster is not None:
            cluster.close()


def _send(cluster: Cluster, events: Sequence[Event]) -> None:
    for event in events:
        cluster.send(event)


def _write(settings: Settings, events: Sequence[Event]) -> None:
    from streams.store import writer
    from streams.store.warehouse import Warehouse

    with Warehouse(settings, patience_s=10) as warehouse:
        warehouse.migrate()
        writer.write(warehouse, (row for event in events for row in writer.rows_of(event)))


def _is_free(settings: Settings) -> None:
    from agents.cli.running import find
    from streams.errors import Unavailable

    running = find(settings) if settings.embedded_clickhouse else None
    if running is not None:
        raise Unavailable(
            f"the page of study {settings.study!r} (pid {running.pid}) holds the database and only reads",
            "stop it (groundswell stop), or start groundswell run, which serves the page too",
        )


def _login() -> str:
    from streams.errors import Misconfigured

    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:
        raise Misconfigured(
            "it is not known who decides", "say --author NAME, or set GROUNDSWELL_AUTHOR"
        ) from error
