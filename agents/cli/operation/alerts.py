"""groundswell alerts: alerts, rules, destinations and deliveries; test messages, digest preview."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer

from agents.cli.console import load_settings, print_json, print_rows, say, tell

app = typer.Typer(
    help="Alerts, their rules and destinations, and whether they were delivered.", no_args_is_help=True
)
JSON = typer.Option(False, "--json", help="Print JSON.")
LIMIT = typer.Option(20, min=1, max=1000, help="Maximum number of rows, newest first.")
Columns = dict[str, tuple[str, Callable[[Any], str]]]


@app.command("list")
def list_(
    limit: int = LIMIT,
    rule: str = typer.Option("", help="Only alerts of this rule, such as emergence or 'dead letters'."),
    as_json: bool = JSON,
) -> None:
    """List the alerts that were raised, newest first, with their deliveries."""
    from agents.alerting.config import RULES
    from agents.cli.asking import asking
    from agents.queries.wording import day

    if rule and rule not in RULES:
        raise typer.BadParameter(f"there is no rule {rule!r}: choose from {', '.join(RULES)}")
    with asking(load_settings()) as ask:
        rows = ask("alerts_raised", limit=limit, rule=rule)
    if as_json:
        print_json(rows)
        return
    shown: Columns = {
        "raised_at": ("DAY", day),
        "rule": ("RULE", str),
        "title": ("ALERT", lambda title: " ".join(title.split())),
        "reason": ("WHY", lambda reason: " ".join(reason.split())),
        "deliveries": ("SENT TO", _told),
    }
    print_rows(rows, shown, "no alerts yet")


def _told(deliveries: Any) -> str:
    return ", ".join(f"{each['destination']} {each['state']}" for each in deliveries) or "-"


@app.command()
def rules(as_json: bool = JSON) -> None:
    """Show the alert rules and the destinations: what is sent to whom, and when."""
    from agents.alerting import queries

    settings = load_settings()
    found, told = queries.rules(settings), queries.destinations(settings)
    if as_json:
        print_json({"file": str(settings.alerts_file), "rules": found, "destinations": told})
        return
    there = settings.alerts_file.exists()
    tell(
        f"from {settings.alerts_file}"
        if there
        else f"default rules, because there is no {settings.alerts_file}"
    )
    shown: Columns = {
        "rule": ("RULE", str),
        "on": ("", lambda on: "on" if on else "off"),
        "cool_down_hours": ("COOL-DOWN", lambda hours: f"{hours:g} h"),
        "settings": ("SETTINGS", _settings),
        "about": ("ABOUT", str),
    }
    print_rows(found, shown)
    say()
    who: Columns = {
        "name": ("DESTINATION", str),
        "address": ("ADDRESS", lambda address: address or "?"),
        "when": ("WHEN", str),
        "quiet": ("QUIET", lambda quiet: quiet or "-"),
        "rules": ("RULES", lambda names: ", ".join(names) if names is not None else "all rules that are on"),
        "error": ("ERROR", lambda error: error or "-"),
    }
    rows = [
        each | {"when": " ".join(filter(None, (each["send"], each["day"], each["at"], each["zone"])))}
        for each in told
    ]
    print_rows(rows, who, f"no destinations: add some to {settings.alerts_file}")


def _settings(values: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in values.items()) or "-"


@app.command()
def test(
    destination: str | None = typer.Argument(None, help="Name of a destination (default: all of them)."),
    as_json: bool = JSON,
) -> None:
    """Send a test message to the destinations and report the results. Exit code 1 if any delivery failed."""
    from agents.alerting import queries
    from agents.instance.running_instance import find

    settings = load_settings()
    running = find(settings)
    results = queries.test(settings, destination, web_url=running.url if running else "")
    if as_json:
        print_json(results)
    else:
        shown: Columns = {
            "destination": ("DESTINATION", str),
            "delivered": ("", lambda delivered: "delivered" if delivered else "NOT delivered"),
            "error": ("WHY NOT", lambda error: error or "-"),
        }
        print_rows(results, shown, f"no destinations: add some to {settings.alerts_file}")
    raise typer.Exit(0 if results and all(each["delivered"] for each in results) else 1)


@app.command()
def deliveries(
    limit: int = LIMIT,
    destination: str = typer.Option("", help="Only deliveries to this destination."),
    state: str = typer.Option("", help="Only deliveries in this state: held, failed, delivered or skipped."),
    as_json: bool = JSON,
) -> None:
    """List deliveries with their state: delivered, held in quiet hours, failed and retried, or skipped."""
    from agents.cli.asking import asking

    with asking(load_settings()) as ask:
        rows = ask("deliveries", limit=limit, destination=destination, state=state)
    if as_json:
        print_json(rows)
        return
    shown: Columns = {
        "at": ("AT", _minute),
        "destination": ("DESTINATION", str),
        "title": ("MESSAGE", lambda title: " ".join(title.split())),
        "state": ("STATE", str),
        "attempts": ("TRIES", str),
        "next_at": ("NEXT", _minute),
        "error": ("ERROR", lambda error: error or "-"),
    }
    print_rows(rows, shown, "nothing was sent yet")


def _minute(moment: Any) -> str:
    return str(moment)[:16].replace("T", " ") if moment else "-"


@app.command()
def digest(
    out: Path | None = typer.Option(
        None,
        metavar="FILE.html",
        dir_okay=False,
        help="Write the digest to this file as HTML (default: print it as text).",
    ),
    days: int = typer.Option(7, min=1, max=366, help="Number of past days to cover."),
) -> None:
    """Show the digest as it would be sent now, without sending it."""
    from agents.alerting import queries
    from agents.alerting.digest import write
    from agents.cli.asking import asking
    from agents.instance.clock import utc_now
    from agents.instance.running_instance import find
    from streams.errors import DataError

    settings = load_settings()
    running = find(settings)
    with asking(settings) as ask:
        made = queries.preview(ask, settings, utc_now(), days=days, web_url=running.url if running else "")
    message = write(made)
    if out is None:
        say(message.text)
        return
    try:
        out.write_text(message.html, encoding="utf-8")
    except OSError as error:
        raise DataError(f"{out} cannot be written ({error.strerror})", "choose another file") from error
    tell(f"{message.title}: {out}")
