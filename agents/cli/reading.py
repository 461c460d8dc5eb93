"""Commands that read: status, topics, themes, prevalence, cooccurrence."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import typer

from agents.cli.console import load_settings, percent, print_json, print_rows, tell

JSON = typer.Option(False, "--json", help="Print JSON.")
FIRST = typer.Option(None, "--from", metavar="YYYY-MM", help="First month of publication.")
LAST = typer.Option(None, "--to", metavar="YYYY-MM", help="Last month of publication, inclusive.")
NO_TALKS = "no talks yet: try groundswell demo, or groundswell ingest FILE and groundswell run"


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    for command in (status, topics, themes, prevalence, cooccurrence):
        app.command()(command)


def status(as_json: bool = JSON) -> None:
    """How far the talks got, and what the corpus holds."""
    from agents.cli.running import ask, find

    settings = load_settings()
    found = ask(settings, "status")
    running = find(settings)
    found |= {"study": settings.study, "page": running.url if running else None}
    if as_json:
        print_json(found)
        return
    print(f"study        {settings.study}")
    print(f"page         {found['page'] or 'not running (groundswell run)'}")
    states = ", ".join(f"{count} {state}" for state, count in found["states"].items())
    print(f"videos       {found['videos']}" + (f"  ({states})" if states else ""))
    if found["rejections"]:
        print("rejected     " + ", ".join(f"{count} {rule}" for rule, count in found["rejections"].items()))
    if found["first_published"]:
        print(f"published    {str(found['first_published'])[:10]} to {str(found['last_published'])[:10]}")
    print(f"transcribed  {found['hours']:.1f} h in {found['paragraphs']} paragraphs")
    print(f"topics       {found['topics']}")
    print(
        f"dead letters {found['dead_letters']}"
        + ("  (groundswell dead-letters list)" if found["dead_letters"] else "")
    )
    if not found["videos"]:
        tell(NO_TALKS)


def topics(first: str | None = FIRST, last: str | None = LAST, as_json: bool = JSON) -> None:
    """Topics with their words, theme and prevalence, most prevalent first."""
    rows = _rows("topics", first, last)
    if as_json:
        print_json(rows)
        return
    shown: dict[str, tuple[str, Callable[[Any], str]]] = {
        "topic_id": ("ID", str),
        "name": ("TOPIC", str),
        "theme": ("THEME", str),
        "videos": ("VIDEOS", str),
        "share": ("SHARE", percent),
        "origin": ("ORIGIN", str),
        "words": ("WORDS", lambda words: ", ".join(words[:6])),
    }
    print_rows(rows, shown, NO_TALKS)


def themes(first: str | None = FIRST, last: str | None = LAST, as_json: bool = JSON) -> None:
    """Prevalence of each theme in a period: share of videos, over the union of its topics."""
    rows = _rows("themes", first, last)
    if as_json:
        print_json(rows)
        return
    shown: dict[str, tuple[str, Callable[[Any], str]]] = {
        "theme": ("THEME", str),
        "videos": ("VIDEOS", str),
        "of_videos": ("OF", str),
        "share": ("SHARE", percent),
        "topics": ("TOPICS", str),
    }
    print_rows(rows, shown, NO_TALKS)


def prevalence(first: str | None = FIRST, last: str | None = LAST, as_json: bool = JSON) -> None:
    """Share of videos of each theme per month of publication."""
    rows = _rows("prevalence", first, last)
    if as_json:
        print_json(rows)
        return
    shown: dict[str, tuple[str, Callable[[Any], str]]] = {
        "month": ("MONTH", str),
        "theme": ("THEME", str),
        "videos": ("VIDEOS", str),
        "of_videos": ("OF", str),
        "share": ("SHARE", percent),
    }
    print_rows(rows, shown, NO_TALKS)


def cooccurrence(first: str | None = FIRST, last: str | None = LAST, as_json: bool = JSON) -> None:
    """Pairs of topics within videos, most frequent first."""
    rows = _rows("cooccurrence", first, last)
    if as_json:
        print_json(rows)
        return
    shown: dict[str, tuple[str, Callable[[Any], str]]] = {
        "name": ("TOPIC", str),
        "other": ("WITH", str),
        "videos": ("VIDEOS", str),
    }
    print_rows(rows, shown, NO_TALKS)


def _rows(view: str, first: str | None, last: str | None) -> Any:
    from agents.cli.running import ask

    for option, month in (("--from", first), ("--to", last)):
        if month is not None and not re.fullmatch(r"(19[7-9]\d|20\d{2})-(0[1-9]|1[0-2])", month):
            raise typer.BadParameter(
                f"{month!r} is not a month from 1970-01 to 2099-12: write it as 2025-03", param_hint=option
            )
    if first and last and first > last:
        raise typer.BadParameter(f"{first} is after {last}", param_hint="--from")
    return ask(load_settings(), view, first=first, last=last)
