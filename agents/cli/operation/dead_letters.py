"""groundswell dead-letters: messages that could not be processed, with cause and cure; replay and drop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import typer

from agents.cli.console import load_settings, print_json, print_rows, say, tell

if TYPE_CHECKING:
    from streams.settings import Settings
    from streams.store.rows.operations import WholeDeadLetter

app = typer.Typer(
    help="Messages that could not be processed: list, show, replay, drop.", no_args_is_help=True
)
LETTERS = typer.Argument(
    None, metavar="[ID...]", help="Ids, or their first characters, as shown by `dead-letters list`."
)
ALL = typer.Option(False, "--all", help="All dead letters that were neither replayed nor dropped.")


@app.command("list")
def list_(
    settled: bool = typer.Option(False, "--settled", help="Also list those that were replayed or dropped."),
    as_json: bool = typer.Option(False, "--json", help="Print JSON."),
) -> None:
    """List dead letters, newest first."""
    from agents.cli.asking import ask

    rows = ask(load_settings(logs=False), "dead_letters", settled=settled)
    if as_json:
        print_json(rows)
        return
    shown: dict[str, tuple[str, Callable[[Any], str]]] = {
        "letter_id": ("ID", lambda letter: letter[:10]),
        "agent": ("AGENT", str),
        "video_id": ("VIDEO", lambda video: video or "-"),
        "cause": ("CAUSE", str),
        "cure": ("CURE", str),
        "settlement": ("SETTLED", lambda action: action or "-"),
    }
    print_rows(rows, shown, "no dead letters")


@app.command()
def show(letter_id: str, as_json: bool = typer.Option(False, "--json", help="Print JSON.")) -> None:
    """Show a dead letter with its message, and the traceback if groundswell itself failed."""
    from agents.consumer.replay import message as message_of
    from agents.consumer.replay import traceback_of
    from streams.state.blobs import Blobs

    settings = load_settings()
    letter = _letter(settings, letter_id)
    blobs = Blobs(settings.blobs_url)
    message, traceback = message_of(blobs, letter), traceback_of(blobs, letter)
    if as_json:
        print_json({**letter, "message": message.decode(errors="replace"), "traceback": traceback})
        return
    fields: Mapping[str, object] = letter
    for name in (
        "letter_id",
        "agent",
        "cause",
        "cure",
        "topic",
        "partition",
        "offset",
        "video_id",
        "failed_at",
    ):
        say(f"{name:11} {_as_json(fields[name])}")
    say(f"{'settled':11} {letter['settlement'] or 'no'}")
    say(message[:4000].decode(errors="replace"))
    if len(message) > 4000:
        tell(f"({len(message):,} bytes in all)")
    if traceback:
        say(traceback)


def _as_json(value: Any) -> Any:
    """Return a time as JSON text: the database returns a datetime, a running process text."""
    from streams.timestamps import as_json

    return as_json(value) if isinstance(value, datetime) else value


@app.command()
def replay(letters: list[str] = LETTERS, everything: bool = ALL) -> None:
    """Send messages to their original topic again, once the cause is fixed."""
    _settle(letters, everything, "replayed")


@app.command()
def drop(letters: list[str] = LETTERS, everything: bool = ALL) -> None:
    """Drop messages. They stay visible with `list --settled`, and can still be replayed."""
    _settle(letters, everything, "dropped")


def _settle(letters: list[str] | None, everything: bool, action: Any) -> None:
    from agents.cli.asking import ask
    from agents.consumer.replay import settle
    from agents.instance.clock import utc_now
    from agents.instance.running_instance import open_cluster
    from streams.errors import Unavailable
    from streams.state.blobs import Blobs

    settings = load_settings()
    if everything == bool(letters):
        raise typer.BadParameter("give ids of dead letters, or --all")
    ids = [row["letter_id"] for row in ask(settings, "dead_letters")] if everything else letters or []
    found = [_letter(settings, each) for each in ids]
    cluster = open_cluster(settings)
    if cluster is None:
        raise Unavailable(
            f"study {settings.study!r} is not running, so the messages would not be processed",
            "start it with groundswell run, then try again",
        )
    blobs = Blobs(settings.blobs_url)
    with cluster:
        for letter in found:
            settle(cluster, blobs, letter, action, utc_now())
            tell(f"{action}: {letter['letter_id'][:10]} ({letter['agent']}: {letter['cause']})")
    if not found:
        tell("no dead letters")


def _letter(settings: Settings, letter_id: str) -> WholeDeadLetter:
    from agents.cli.asking import ask

    letter: WholeDeadLetter | None = ask(settings, "dead_letter", letter_id=letter_id)
    if letter is None:
        raise typer.BadParameter(
            f"no dead letter, or more than one, has the id {letter_id!r}: see groundswell dead-letters list"
        )
    return letter
