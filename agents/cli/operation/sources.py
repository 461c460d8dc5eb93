"""groundswell sources: the sources that are watched for new talks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import typer

from agents.cli.console import load_settings, print_json, print_rows, say, tell

if TYPE_CHECKING:
    from streams.settings import Settings
    from streams.state.sources import Sources, Watched

app = typer.Typer(
    help="Channels, playlists, searches, podcasts and folders that are watched for new talks.",
    no_args_is_help=True,
)
IDS = typer.Argument(metavar="ID...", help="Ids as shown by `sources list`, or the locators that were added.")
SINCE = typer.Option(
    None,
    "--since",
    formats=["%Y-%m-%d"],
    metavar="YYYY-MM-DD",
    help="Only talks published on or after this day.",
)
AS_JSON = typer.Option(False, "--json", help="Print JSON.")


def _sources(settings: Settings | None = None) -> Sources:
    from streams.state.blobs import Blobs
    from streams.state.sources import Sources

    return Sources(Blobs((settings or load_settings()).blobs_url))


@app.command()
def add(
    locators: list[str] = typer.Argument(
        None,
        metavar="[LOCATOR...]",
        help="A channel (URL, @handle, UC… id), a playlist (URL, id), a podcast's feed (URL), a folder (a "
        "path that begins with / ~ or .) or words to search for.",
    ),
    since: datetime | None = SINCE,
    preset: str = typer.Option("", help="A packaged set of sources: llm-in-production."),
    as_json: bool = AS_JSON,
) -> None:
    """Watch channels, playlists, searches, podcasts and folders."""
    from agents.instance.clock import utc_now
    from streams.events import Source
    from streams.state.source_locators import locate
    from streams.state.source_locators import preset as sources_of
    from streams.state.sources import source_id

    if not locators and not preset:
        raise typer.BadParameter("give a source, or --preset llm-in-production")
    # All locators are parsed before any source is added.
    meant = [locate(text) for text in locators or ()] + (sources_of(preset) if preset else [])
    sources, rows, day = _sources(), [], _day(since)
    for kind, locator in meant:
        source = Source(
            source_id=source_id(kind, locator),
            kind=kind,
            locator=locator,
            added_at=utc_now(),
            since=day,
        )
        added = sources.add(source)
        known = sources.named(source.source_id).source
        if not added and day is not None and known.since != day:
            known = sources.want(source.source_id, day, utc_now()).source
        rows.append(known.model_dump() | {"added": added})
        tell(f"{'added' if added else 'already known'}: {kind} {known.locator} ({source.source_id})")
    if as_json:
        print_json(rows)


@app.command("list")
def list_(as_json: bool = AS_JSON) -> None:
    """List the sources with their health, and the number of talks found and kept."""
    settings = load_settings()
    watched = list(_sources(settings).watched())
    kept = _kept(settings) if watched else {}
    rows = [_row(each, kept.get(each.source_id)) for each in watched]
    if as_json:
        print_json(rows)
        return
    shown: dict[str, tuple[str, Callable[[Any], str]]] = {
        "source_id": ("ID", str),
        "kind": ("KIND", str),
        "locator": ("SOURCE", str),
        "health": ("HEALTH", str),
        "visited_at": ("LAST VISIT", _to_the_minute("not yet")),
        "next_visit": ("NEXT VISIT", _to_the_minute("soon")),
        "found": ("FOUND", str),
        "kept": ("KEPT", lambda kept: "?" if kept is None else str(kept)),
    }
    print_rows(rows, shown, "no sources yet: groundswell sources add URL")
    for each in watched:
        for line in _words(each):
            tell(f"{each.source_id}: {line}")


@app.command()
def remove(source_ids: list[str] = IDS) -> None:
    """Stop watching sources. The talks they found stay."""
    sources = _sources()
    for watched in _named(sources, source_ids):
        sources.remove(watched.source_id)
        source = watched.source
        tell(f"removed: {source.kind} {source.locator} (undo: groundswell sources add {source.locator!r})")


@app.command()
def pause(source_ids: list[str] = IDS) -> None:
    """Stop visiting sources until they are resumed."""
    sources = _sources()
    for watched in _named(sources, source_ids):
        changed = sources.pause(watched.source_id)
        undo = f"undo: groundswell sources resume {watched.source_id}"
        tell(f"{'paused' if changed else 'already paused'}: {watched.source.locator} ({undo})")


@app.command()
def resume(source_ids: list[str] = IDS) -> None:
    """Visit paused sources again."""
    sources = _sources()
    for watched in _named(sources, source_ids):
        changed = sources.resume(watched.source_id)
        tell(f"{'resumed' if changed else 'not paused'}: {watched.source.locator}")


@app.command()
def backfill(
    source_id: str = typer.Argument(metavar="ID", help="Its id (see `sources list`) or locator."),
    since: datetime | None = SINCE,
) -> None:
    """Find a channel's earlier talks, back to --since, or to its first talk."""
    from agents.instance.clock import utc_now

    sources, day = _sources(), _day(since)
    (watched,) = _named(sources, [source_id])
    sources.want(watched.source_id, day, utc_now())
    wanted = f"talks published since {day}" if day else "all talks"
    if watched.source.kind == "channel":
        tell(f"{watched.source.locator}: {wanted} are listed, a part at each visit (see sources list)")
    else:
        tell(
            f"{watched.source.locator}: {wanted} are included; a {watched.source.kind} is always read in full"
        )


@app.command()
def check(
    source_id: str = typer.Argument(metavar="ID", help="Its id (see `sources list`) or locator."),
    as_json: bool = AS_JSON,
) -> None:
    """Test a source now, without adding talks: show what each of its lanes returns, or its error."""
    from dataclasses import asdict

    from agents.discovery.connectors import lanes_of
    from agents.discovery.source_check import check as look
    from agents.runtime.wiring import SharedResources

    settings = load_settings()
    parts = SharedResources(settings)
    (watched,) = _named(_sources(settings), [source_id])
    checks = look(lanes_of(settings, parts.youtube), parts.blobs, watched, settings.search_results)
    works = any(each.works and each.vouches for each in checks)
    if as_json:
        print_json(_row(watched, None) | {"works": works, "checks": [asdict(each) for each in checks]})
    else:
        tell(f"{watched.source.kind} {watched.source.locator} ({watched.source_id}, {watched.health})")
        for each in checks:
            say(f"{each.lane}: {_said(each)}")
        for line in _words(watched):
            tell(line)
    if not works:
        raise typer.Exit(1)


def _said(check: Any) -> str:
    if not check.works:
        return f"{check.cause}\n  cure: {check.cure}"
    if check.lane == "folder":
        return f"{check.videos} files of talks"  # refused files are listed separately
    of = f"{check.source}: " if check.source else ""
    many = f"{check.videos}{' or more' if check.more else ''} talks"
    if not check.first:
        return f"{of}{many}"
    first = check.first[0]
    day = f" ({first.published_at:%Y-%m-%d})" if first.published_at else ""
    return f"{of}{many}, first “{first.title}”{day}"


def _named(sources: Sources, texts: list[str]) -> list[Watched]:
    """Return the sources with these ids or locators; raise typer.BadParameter if any is unknown."""
    from difflib import get_close_matches

    by_name: dict[str, Watched] = {}
    for watched in sources.watched():
        by_name |= {watched.source.locator.casefold(): watched, watched.source_id: watched}
    found = []
    for text in texts:
        name = text if text in by_name else text.casefold()
        if name not in by_name:
            near = get_close_matches(name, by_name, 1)
            meant = f" Did you mean {by_name[near[0]].source_id}?" if near else ""
            raise typer.BadParameter(f"there is no source {text!r}: see groundswell sources list.{meant}")
        found.append(by_name[name])
    return found


def _day(since: datetime | None) -> Any:
    from agents.instance.clock import utc_now

    if since is not None and since.date() > utc_now().date():
        raise typer.BadParameter(f"{since:%Y-%m-%d} is in the future", param_hint="--since")
    return since.date() if since else None


def _kept(settings: Settings) -> dict[str, int]:
    """Return the number of kept talks by source id, or {} if the database cannot be queried."""
    from agents.cli.asking import ask
    from streams.errors import Misconfigured, Unavailable

    try:
        return {row["source_id"]: row["kept"] for row in ask(settings, "sources")}
    except (Misconfigured, Unavailable) as error:
        tell(f"the number of kept talks is unknown: {error.cause}")
        return {}


def _row(watched: Watched, kept: int | None) -> dict[str, Any]:
    seen = watched.visits
    return watched.source.model_dump() | {
        "health": watched.health,
        "paused": watched.paused,
        "title": seen.title,
        "visited_at": seen.last_visit,
        "last_success": seen.last_success,
        "next_visit": None if watched.paused else seen.next_visit,
        "found": seen.found,
        "kept": kept,
        "failures": seen.failures,
        "failure": seen.failure.model_dump() if seen.failure else None,
        "paused_until": seen.paused_until,
        "refused": [each.model_dump() for each in seen.refused],
        "lanes": {name: lane.model_dump() for name, lane in seen.lanes.items()},
        "backfill": seen.backfill.model_dump() if seen.backfill else None,
    }


def _words(watched: Watched) -> list[str]:
    """Return further lines about a source: errors with their cures, refused files, progress of a backfill."""
    seen = watched.visits
    troubles = [(name, lane.trouble) for name, lane in seen.lanes.items() if lane.trouble]
    lines = [
        f"{lane}: {trouble.cause}\n  cure: {trouble.cure}"
        for lane, trouble in troubles
        if not (lane == "folder" and seen.refused and not seen.failures)
    ]
    lines += [f"refused: {each.name}: {each.cause}\n  cure: {each.cure}" for each in seen.refused]
    going = seen.backfill
    if watched.backfill_at and (going is None or going.asked_at < watched.backfill_at):
        lines.append("the backfill begins at the next visit")
    elif going is not None and going.done_at is None:
        until = f" since {going.since}" if going.since else ""
        lines.append(f"backfill{until}: {going.found} found, {going.rank} checked so far")
    return lines


def _to_the_minute(none: str) -> Callable[[Any], str]:
    return lambda at: f"{at:%Y-%m-%d %H:%M}" if at else none
