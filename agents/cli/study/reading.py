"""Commands that read results: status, themes, prevalence, mix, cooccurrence, emerging, boilerplate."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import typer

from agents.cli.console import load_settings, print_json, print_rows, say, tell
from agents.cli.selecting import Selected, selecting
from agents.queries.wording import between, change, day, figures, health, minutes, percent

if TYPE_CHECKING:
    from streams.settings import Settings

JSON = typer.Option(False, "--json", help="Print JSON.")
NOTES = "progress"
"""Blob folder of `streams.state.progress`."""
NO_TALKS = "no talks yet: try groundswell demo, or groundswell ingest FILE and groundswell run"


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    for command in (status, themes, prevalence, mix, cooccurrence, emerging, boilerplate):
        app.command()(command)


def status(as_json: bool = JSON) -> None:
    """Show the progress of the talks and the size of the corpus."""
    from agents.cli.asking import asking
    from agents.instance.clock import utc_now
    from agents.instance.last_answers import STATUS
    from agents.instance.running_instance import find
    from streams.store.video_progress import STUCK

    settings = load_settings(logs=False)
    with asking(settings) as ask:  # a database that no process holds is opened once
        found, signs, unfinished = (ask(view, **parameters) for view, parameters in STATUS)
    long_ago = utc_now() - STUCK
    stuck = [row for row in unfinished if datetime.fromisoformat(str(row["seen_at"])) < long_ago]
    running = find(settings)
    found |= {"study": settings.study, "page": (settings.web_url or running.url) if running else None}
    found["stuck"] = stuck
    found["transcribing"] = _transcribing(settings, utc_now())
    if as_json:
        print_json(found)
        return
    say(f"study        {settings.study}")
    say(f"page         {found['page'] or 'not running (groundswell run)'}")
    states = ", ".join(f"{count} {state}" for state, count in found["states"].items())
    say(f"talks        {found['videos']}" + (f"  ({states})" if states else ""))
    if found["rejections"]:
        say("rejected     " + ", ".join(f"{count} {rule}" for rule, count in found["rejections"].items()))
    if found["first_published"]:
        say(f"published    {str(found['first_published'])[:10]} to {str(found['last_published'])[:10]}")
    say(f"transcribed  {found['hours']:.1f} h in {found['paragraphs']} paragraphs")
    for each in found["transcribing"]:
        say(f"now          {each['title'] or each['video_id']}: {each['said']}")
    say(f"topics       {found['topics']}")
    if found["boilerplate"]:
        say(f"boilerplate  {found['boilerplate']} paragraphs left out  (groundswell boilerplate)")
    for row in signs:
        say(f"health       {health(row)}")
    if found["epoch"]:
        left = f", {found['relearning']} talks still to be learned again" if found["relearning"] else ""
        say(f"epoch        {found['epoch']} of the topic model{left}")
    if found["codebook_as_clusters"]:
        say("codebook     its topics are counted as clusters, which move away from their definitions")
        tell("What to do: groundswell rebuild, then groundswell codebook carry-over")
    say(
        f"dead letters {found['dead_letters']}"
        + ("  (groundswell dead-letters list)" if found["dead_letters"] else "")
    )
    if stuck:
        many = f"{len(stuck)} talk{'s' * (len(stuck) != 1)} found more than {STUCK.days} days ago"
        say(f"stuck        {many}, the first waits for {stuck[0]['waits_for']}  (groundswell reconcile)")
    if found["damaged_parts"]:
        from streams.store.operations.damage import CURE, missing_rows

        say(f"missing      {missing_rows(found['damaged_parts'])}")
        tell(f"What to do: {CURE}")
    if not found["videos"]:
        tell(NO_TALKS)


def _transcribing(settings: Settings, now: datetime) -> list[dict[str, Any]]:
    """Return the progress of running transcriptions; if there are none, avoid the slow imports."""
    if "://" not in settings.blobs_url and not any(Path(settings.blobs_url, NOTES).glob("*")):
        return []
    from agents.transcription.progress_view import how_far
    from streams.state.blobs import Blobs

    return how_far(Blobs(settings.blobs_url), now)


@selecting
def themes(selected: Selected, as_json: bool = JSON) -> None:
    """Show the prevalence of each theme in a period: share of talks, over the union of its topics."""
    rows = rows_of("themes", selected)
    if as_json:
        print_json(rows)
        return
    shown: dict[str, tuple[str, Callable[[Any], str]]] = {
        "theme": ("THEME", str),
        "videos": ("TALKS", str),
        "of_videos": ("OF", str),
        "share": ("SHARE", percent),
        "between": ("95 %", str),
        "trend": ("CHANGE", change),
        "status": ("STATUS", lambda status: status or "-"),
        "minutes": ("MINUTES", minutes),
        "topics": ("TOPICS", str),
    }
    print_rows([row | {"between": between(row)} for row in rows], shown, nothing(selected))


@selecting
def prevalence(
    selected: Selected,
    basis: Literal["talks", "paragraphs", "minutes"] = typer.Option(
        "talks", help="Unit of the shares: talks, paragraphs or minutes."
    ),
    standard: Literal["none", "source", "length"] = typer.Option(
        "none", help="Hold the mix of sources or lengths fixed: shares like for like."
    ),
    as_json: bool = JSON,
) -> None:
    """Show the prevalence of each theme per month of publication."""
    rows = rows_of("prevalence", selected, basis=basis, standard=standard)
    if as_json:
        print_json(rows)
        return
    shown: dict[str, tuple[str, Callable[[Any], str]]] = {
        "month": ("MONTH", str),
        "theme": ("THEME", str),
        "amount": ("TALKS" if basis == "talks" else basis.upper(), "{:,.0f}".format),
        "of_amount": ("OF", "{:,.0f}".format),
        "share": ("SHARE", percent),
        "between": ("95 %", str),
        **({"covered": ("COMPARED", percent)} if standard != "none" else {}),
        "unfinished": ("", lambda unfinished: "month not over" if unfinished else ""),
    }
    print_rows([row | {"between": between(row)} for row in rows], shown, nothing(selected))
    if standard == "none" and rows:
        for each in rows_of("mix", selected)["changes"]:
            tell(f"{each['said']} Shares of talks move with it: see --standard {each['kind']}")


@selecting
def mix(selected: Selected, as_json: bool = JSON) -> None:
    """Show which sources the talks of each month come from and how long they are, and when that changed."""
    found = rows_of("mix", selected)
    if as_json:
        print_json(found)
        return
    shown: dict[str, tuple[str, Callable[[Any], str]]] = {
        "month": ("MONTH", str),
        "kind": ("BY", str),
        "name": ("TALKS", lambda name: name or "not known"),
        "videos": ("TALKS", str),
        "of_videos": ("OF", str),
        "share": ("SHARE", percent),
    }
    print_rows(found["rows"], shown, nothing(selected))
    for each in found["changes"]:
        say(each["said"])
    if found["rows"] and not found["changes"]:
        say("The mix did not change beyond chance.")


@selecting
def cooccurrence(selected: Selected, as_json: bool = JSON) -> None:
    """List pairs of topics that occur in the same talks, most frequent first."""
    rows = rows_of("cooccurrence", selected)
    if as_json:
        print_json(rows)
        return
    shown: dict[str, tuple[str, Callable[[Any], str]]] = {
        "name": ("TOPIC", str),
        "other": ("WITH", str),
        "videos": ("TALKS", str),
        "jaccard": ("JACCARD", "{:.2f}".format),
        "lift": ("LIFT", "{:.2f}".format),
    }
    print_rows(rows, shown, nothing(selected))


def emerging(
    limit: int = typer.Option(20, min=1, max=1000, help="Maximum number of alerts, newest first."),
    as_json: bool = JSON,
) -> None:
    """List new topics (emergence alerts), newest first, with the evidence."""
    from agents.cli.asking import ask

    rows = ask(load_settings(logs=False), "alerts", limit=limit)
    if as_json:
        print_json(rows)
        return
    if not rows:
        tell("no new topics yet: an alert is raised when several talks take up a new subject")
    for number, row in enumerate(rows):
        say(("\n" if number else "") + f"{row['title']} ({day(row['raised_at'])})")
        say(f"  why     {row['reason']}")
        if row["channel"]:
            say(f"  words   {', '.join(row['terms'])}")
            say(f"  figures {figures(row)}")
        for what, talk in zip(("first", "latest"), row["talks"], strict=False):
            title, published = talk["title"] or talk["video_id"], day(talk["published_at"])
            about = [title, talk["show"], published, talk["url"]]
            say(f"  {what:7} {', '.join(filter(None, about))}")
        print_quotes(row["quotes"])


def boilerplate(
    limit: int = typer.Option(
        3, "--examples", min=1, max=1000, help="Maximum number of examples per source."
    ),
    as_json: bool = JSON,
) -> None:
    """Show text that a source repeats in many talks (greetings, sponsors) and that no topic includes."""
    from agents.cli.asking import ask

    rows = ask(load_settings(logs=False), "boilerplate", limit=limit)
    if as_json:
        print_json(rows)
        return
    shown: dict[str, tuple[str, Callable[[Any], str]]] = {
        "name": ("SOURCE", str),
        "boilerplate": ("PARAGRAPHS", str),
        "paragraphs": ("OF", str),
        "share": ("SHARE", percent),
        "videos": ("TALKS", str),
    }
    print_rows(rows, shown, "no boilerplate found: no source repeats itself in many talks")
    for row in rows:
        say(f"\n{row['name']}, newest examples:")
        print_quotes(row["examples"])


def print_quotes(quotes: Iterable[Mapping[str, Any]]) -> None:
    """Print quotes with speaker, title, date, and a link to the second or the time in the talk."""
    from agents.queries.media_links import at_second, clock

    for quote in quotes:
        say(f"\n    “{' '.join(quote['text'].split())}”")
        published = day(quote.get("published_at") or quote.get("published_on"))
        about = [*quote.get("speakers", ()), quote["title"] or quote["video_id"], published]
        link = at_second(quote["url"], quote["start_s"])
        say(f"      {', '.join(about)}, {link or 'at ' + clock(quote['start_s'])}")


def nothing(selected: Selected) -> str:
    """Return why there are no rows: the study has no talks, or the selection has no retained topic."""
    if not selected:
        return NO_TALKS
    asked = ", ".join(f"{name} {value}" for name, value in selected.items())
    return (
        f"no talk in this selection ({asked}) has a retained topic; groundswell videos list shows all talks"
    )


def rows_of(view: str, selected: Selected, **parameters: Any) -> Any:
    """Return the rows of a view for the selected talks."""
    from agents.cli.asking import ask

    return ask(load_settings(logs=False), view, **selected, **parameters)
