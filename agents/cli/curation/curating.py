"""Parts shared by the commands that change the codebook: their options, and the codebook service."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import typer

from agents.cli.console import load_settings, tell
from agents.cli.curation.author import AUTHOR, author_of
from agents.cli.selecting import extend

if TYPE_CHECKING:
    from agents.curation.codebook_service import CodebookService
    from agents.curation.decision_service import DecisionService
    from streams.events import CodebookDecided

TOPIC = typer.Argument(metavar="TOPIC", help="Id of the topic, as shown by `codebook show`.")
NOTE = typer.Option("", "--note", help="Note to keep with the decision.")
EXPECT = typer.Option(
    None, "--expect", metavar="REVISION", help="Decide only if this is still the newest revision."
)


OPTIONS = {"author": (str, AUTHOR), "note": (str, NOTE), "expect": (int | None, EXPECT)}
"""Options of every command that makes a decision."""
P = ParamSpec("P")
S = TypeVar("S", bound="DecisionService")
Decision = Callable[[Any], Any]
"""Function from a `models.codebook.state.CodebookState` to a `CodebookChange`."""


def deciding(command: Callable[P, Decision]) -> Callable[..., None]:
    """Wrap a command so that it makes the decision it returns; add --author, --note and --expect."""

    @wraps(command)
    def decide(author: str, note: str, expect: int | None, **given: Any) -> None:
        decision = command(**given)  # type: ignore[call-arg]
        with curating(author) as curator:
            print_decision(curator.decide(decision, note, expect))

    extend(decide, command, OPTIONS)
    return decide


def print_decision(event: CodebookDecided) -> CodebookDecided:
    """Print the revision and the decision; return the event."""
    tell(f"revision {event.revision}: {event.said}")
    return event


@contextmanager
def curating(author: str) -> Iterator[CodebookService]:
    """Yield the codebook service. It sends decisions to the broker, or writes them if no broker runs.

    Raises:
        Unavailable: the broker does not answer, or a process that only serves the page holds the database.
    """
    from agents.curation.codebook_service import CodebookService

    with service_of(CodebookService, author) as curator:
        yield curator


@contextmanager
def service_of(service: type[S], author: str) -> Iterator[S]:
    """Yield a decision service; see `curating`."""
    from agents.cli.asking import ask
    from agents.instance.clock import utc_now
    from agents.instance.event_publisher import delivering
    from streams.state.blobs import Blobs

    settings = load_settings()
    with delivering(settings) as deliver:
        yield service(
            Blobs(settings.blobs_url), partial(ask, settings), deliver, utc_now, author_of(author), say=tell
        )
