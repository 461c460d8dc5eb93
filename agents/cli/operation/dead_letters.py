"""groundswell dead-letters: what could not be processed, why, and what to do with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import typer

from agents.cli.console import load_settings, plain, print_json, print_rows, say, tell

if TYPE_CHECKING:
    from streams.settings import Settings
    from streams.store.rows.operations import WholeDeadLetter

app = typer.Typer(
    help="Messages that could not be processed: list, show, replay, drop.", no_args_is_help=True
)
LETTERS = typer.Argument(
    None, metavar="[ID...]", help="Ids (or their beginning) as `dead-letters list` shows them."
)
ALL = typer.Option(False, "--all", help="All that wait for a decision.")


@app.command("list")
def list_(
    settled: bool = typer.Option(False, "--settled", help="Also those replayed or dropped."),
    as_json: bool = typer.Option(False, "--json", help="Print JSON."),
) -> None:
    """Show dead letters, newest first."""
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
    """Show one dead letter with its message, and with the traceback where groundswell itself failed."""
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
    """Return a moment as JSON writes it, whether the database or a running process said it."""
    return plain(value) if isinstance(value, datetime) else value


@app.command()
def replay(letters: list[str] = LETTERS, everything: bool = ALL) -> None:
    """Send messages again to the topic they came from, after their cause is mended."""
    _settle(letters, everything, "replayed")


@app.command()
def drop(letters: list[str] = LETTERS, everything: bool = ALL) -> None:
    """Give messages up. They stay visible under --settled, and replay still works."""
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
        raise typer.BadParameter("name letters, or say --all")
    ids = [row["letter_id"] for row in ask(settings, "dead_letters")] if everything else letters or []
    found = [_letter(settings, each) for each in ids]
    cluster = open_cluster(settings)
    if cluster is None:
        raise Unavailable(
            f"study {settings.study!r} is not running, so nobody would take the messages",
            "start it with groundswell run, then do this again",
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
            f"there is no one dead letter {letter_id!r}: see groundswell dead-letters list"
        )
    return letter
