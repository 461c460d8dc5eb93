"""groundswell sources: what is watched for new talks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import typer

from agents.cli.console import load_settings, print_json, print_rows, tell

if TYPE_CHECKING:
    from streams.sources import Sources

app = typer.Typer(
    help="Channels, playlists and searches that are watched for new talks.", no_args_is_help=True
)


def _sources() -> Sources:
    from streams.blobs import Blobs
    from streams.sources import Sources

    return Sources(Blobs(load_settings().blobs_url))


@app.command()
def add(
    locators: list[str] = typer.Argument(
        metavar="LOCATOR...",
        help="A channel (URL, @handle, UC… id), a playlist (URL, id) or words to search for.",
    ),
    as_json: bool = typer.Option(False, "--json", help="Print JSON."),
) -> None:
    """Watch a channel, a playlist or a search."""
    from agents.registry import utc_now
    from streams.events import Source
    from streams.sources import source_id
    from streams.youtube_locators import parse_locator

    sources, rows = _sources(), []
    for kind, locator in [parse_locator(text) for text in locators]:  # all are understood, or none is added
        source = Source(source_id=source_id(kind, locator), kind=kind, locator=locator, added_at=utc_now())
        added = sources.add(source)
        rows.append(source.model_dump() | {"added": added})
        tell(f"{'added' if added else 'known already'}: {kind} {locator} ({source.source_id})")
    if as_json:
        print_json(rows)


@app.command("list")
def list_(as_json: bool = typer.Option(False, "--json", help="Print JSON.")) -> None:
    """Show what is watched."""
    sources = _sources()
    rows = [
        source.model_dump() | {"visited_at": sources.visited_at(source.source_id)} for source in sources.all()
    ]
    if as_json:
        print_json(rows)
        return
    shown: dict[str, tuple[str, Callable[[Any], str]]] = {
        "source_id": ("ID", str),
        "kind": ("KIND", str),
        "locator": ("SOURCE", str),
        "visited_at": ("LOOKED AT", lambda at: f"{at:%Y-%m-%d %H:%M}" if at else "not yet"),
    }
    print_rows(rows, shown, "no sources yet: groundswell sources add URL")


@app.command()
def remove(
    source_ids: list[str] = typer.Argument(metavar="ID...", help="Ids as `sources list` shows them."),
) -> None:
    """Stop watching a source. The talks it found stay."""
    sources = _sources()
    known = {source.source_id: source for source in sources.all()}
    unknown = [given for given in source_ids if given not in known]
    if unknown:
        raise typer.BadParameter(f"there is no source {unknown[0]!r}: see groundswell sources list")
    for given in source_ids:
        sources.remove(given)
        source = known[given]
        tell(f"removed: {source.kind} {source.locator} (undo: groundswell sources add {source.locator!r})")
