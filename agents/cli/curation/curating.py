"""Shared parts of the commands that decide: the author, and a curator that reaches the study's store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, ParamSpec

import typer

from agents.cli.console import load_settings, tell
from agents.cli.curation.author import AUTHOR, author_of
from agents.cli.selecting import extend

if TYPE_CHECKING:
    from agents.curation.codebook_service import CodebookService
    from streams.events import CodebookDecided

TOPIC = typer.Argument(metavar="TOPIC", help="The topic's id, as `codebook show` has it.")
NOTE = typer.Option("", "--note", help="What else is to be remembered about it.")
EXPECT = typer.Option(
    None, "--expect", metavar="REVISION", help="Decide only if this is still the newest revision."
)


OPTIONS = {"author": (str, AUTHOR), "note": (str, NOTE), "expect": (int | None, EXPECT)}
"""What every decision can be told besides."""
P = ParamSpec("P")
Decision = Callable[[Any], Any]
"""From a `models.codebook.state.CodebookState` to the `CodebookChange` that is made of it."""


def deciding(command: Callable[P, Decision]) -> Callable[..., None]:
    """Let a command, which returns a decision, make it: with --author, --note and --expect."""

    @wraps(command)
    def decide(author: str, note: str, expect: int | None, **given: Any) -> None:
        decision = command(**given)  # type: ignore[call-arg]
        with curating(author) as curator:
            print_decision(curator.decide(decision, note, expect))

    extend(decide, command, OPTIONS)
    return decide


def print_decision(event: CodebookDecided) -> CodebookDecided:
    """Say what was decided, under which revision."""
    tell(f"revision {event.revision}: {event.said}")
    return event


@contextmanager
def curating(author: str) -> Iterator[CodebookService]:
    """Lend a curator of the study. What it decides is sent to the broker, or written where none runs.

    Raises:
        Unavailable: the broker does not answer, or a process that only serves the page holds the database.
    """
    from agents.cli.asking import ask
    from agents.curation.codebook_service import CodebookService
    from agents.instance.clock import utc_now
    from agents.instance.event_publisher import delivering
    from streams.state.blobs import Blobs

    settings = load_settings()
    with delivering(settings) as deliver:
        yield CodebookService(
            Blobs(settings.blobs_url), partial(ask, settings), deliver, utc_now, author_of(author), say=tell
        )
