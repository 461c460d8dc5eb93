"""groundswell topics: topics with their status, history and genealogy; requests for consolidation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import typer

from agents.cli.console import load_settings, print_json, print_rows, say, tell
from agents.cli.selecting import Selected, selecting
from agents.cli.study.reading import JSON, nothing, print_quotes, rows_of
from agents.queries.wording import between, change, compared, day, drifted, happened, minutes, percent

if TYPE_CHECKING:
    from agents.queries.rows import Interval

app = typer.Typer(
    help="List topics by prevalence with status, words and theme; subcommands show a topic or the history.",
    invoke_without_command=True,
)
Columns = dict[str, tuple[str, Callable[[Any], str]]]


@app.callback()
@selecting
def topics(selected: Selected, context: typer.Context, as_json: bool = JSON) -> None:
    """List topics by prevalence with status, words and theme; subcommands show a topic or the history.

    The status compares the period (default: the last six months) with one of equal length before it.
    """
    if context.invoked_subcommand is not None:
        return
    rows = rows_of("topics", selected)
    if as_json:
        print_json(rows)
        return
    shown: Columns = {
        "topic_id": ("ID", str),
        "name": ("TOPIC", str),
        "theme": ("THEME", str),
        "videos": ("TALKS", str),
        "share": ("SHARE", percent),
        "status": ("STATUS", lambda status: status or "-"),
        "trend": ("CHANGE", change),
        "origin": ("ORIGIN", str),
        "words": ("WORDS", lambda words: ", ".join(words[:6])),
    }
    print_rows(rows, shown, nothing(selected))


@app.command()
def show(
    topic_id: int = typer.Argument(metavar="ID", help="Id of the topic, as shown by `topics`."),
    as_json: bool = JSON,
) -> None:
    """Show a topic: its words now and at birth, quotes, drift and history."""
    from agents.cli.asking import ask

    found = ask(load_settings(logs=False), "topic", topic_id=topic_id) if topic_id > 0 else None
    if found is None:
        raise typer.BadParameter(f"there is no topic {topic_id}: see groundswell topics", param_hint="ID")
    if as_json:
        print_json(found)
        return
    for name, value in _about(found):
        say(f"{name:15} {value}")
    print_quotes(found["quotes"])
    told = {quote["paragraph_id"] for quote in found["quotes"]}
    if newest := [quote for quote in found["newest"] if quote["paragraph_id"] not in told]:
        say("\nNewest:")
        print_quotes(newest)


def _about(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the lines about a topic, each as label and text."""
    if found["asked_id"] != found["topic_id"]:
        yield "merged", f"topic {found['asked_id']} is part of topic {found['topic_id']} now"
    yield "topic", f"{found['name']} ({found['topic_id']})"
    yield "theme", found["theme"]
    origin = "seeded from the codebook" if found["origin"] == "seeded" else "born"
    if found["parent_id"]:
        origin = f"split off {found['parent']} ({found['parent_id']})"
    yield "origin", f"{origin}, {day(found['emerged_at'])}" if found["emerged_at"] else origin
    if found["share"] is not None:
        interval: Interval = {"low": found["low"], "high": found["high"]}
        videos = f"{found['videos']} of {found['of_videos']} talks"
        yield "prevalence", f"{videos} ({percent(found['share'])}, with 95 % confidence {between(interval)})"
        yield "discussed", f"{minutes(found['minutes'])} minutes in {found['paragraphs']} paragraphs"
    if not found["retained"]:
        yield "excluded", found["reason"] or "no reason given"
    for each in found["merged"]:
        yield "includes", f"{each['name']} ({each['topic_id']})"
    status = [found["status"] or "too early to say", compared(found["trend"])]
    yield "status", ": ".join(filter(None, status))
    if found["doubted_since"]:
        yield (
            "in doubt",
            f"since {day(found['doubted_since'])}: most of its latest paragraphs have no word of it",
        )
    yield "words", ", ".join(found["words"])
    if found["words_at_birth"] != found["words"]:
        yield "words at birth", ", ".join(found["words_at_birth"])
    for each in found["drifts"]:
        yield "drift", drifted(each)
    for each in found["genealogy"]:
        yield "history", f"{day(each['day'])}  {happened(each)}"
    if found["months"]:
        most = max(found["months"], key=lambda month: (month["videos"], month["month"]))
        yield "peak month", f"{most['month']} ({most['videos']} talks)"


@app.command()
def genealogy(as_json: bool = JSON) -> None:
    """List births, splits, merges, sleep and consolidations of topics, oldest first."""
    from agents.cli.asking import ask

    rows = ask(load_settings(logs=False), "genealogy")
    if as_json:
        print_json(rows)
        return
    told = [row | {"happened": happened(row)} for row in rows]
    shown: Columns = {"sequence": ("STEP", str), "day": ("DAY", day), "happened": ("WHAT", str)}
    print_rows(told, shown, "no topic was born, split, merged or put to sleep yet")


@app.command()
def consolidate(as_json: bool = JSON) -> None:
    """Request a consolidation: it merges and splits topics where that keeps the topics stable."""
    from agents.instance.clock import utc_now
    from agents.instance.running_instance import open_cluster
    from streams.errors import Unavailable
    from streams.events import ConsolidationRequested

    settings, now = load_settings(), utc_now()
    request = ConsolidationRequested(on=now.date(), requested_at=now)
    cluster = open_cluster(settings)
    if cluster is None:
        raise Unavailable(
            f"study {settings.study!r} is not running, so the request would not be processed",
            "start it with groundswell run, then try again",
        )
    with cluster:
        cluster.send(request)
    if as_json:
        print_json({"request_id": request.event_id, "on": request.on})
    tell("consolidation requested; groundswell topics genealogy will show the result")
