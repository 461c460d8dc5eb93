"""groundswell codebook judge, agreement, suggest: what reviewers think of topics, where one may belong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

import typer

from agents.cli.console import load_settings, print_json, print_rows, say, tell
from agents.cli.curation.curating import TOPIC, curating

JSON = typer.Option(False, "--json", help="Print JSON.")
VERDICTS = ("include", "exclude")


def register(app: typer.Typer) -> None:
    """Add the commands to `groundswell codebook`."""
    for command in (judge, agreement, suggest):
        app.command()(command)


def judge(
    topic_id: int = TOPIC,
    verdict: str = typer.Argument(metavar="include|exclude", help="Whether it should count."),
    reviewer: str = typer.Option(..., "--reviewer", help="Who judges."),
    theme: str = typer.Option("", "--theme", help="The theme that it belongs to."),
    note: str = typer.Option("", "--note", help="Why."),
) -> None:
    """Say what you, as a reviewer, think of a topic. It changes no number, and shows no other's judgement.

    A later judgement of the same reviewer takes the place of the earlier one.
    """
    if verdict not in VERDICTS:
        raise typer.BadParameter(f"{verdict!r} is neither include nor exclude", param_hint="VERDICT")
    with curating(reviewer) as curator:
        judged = curator.judge(topic_id, verdict, theme, note)  # type: ignore[arg-type]
    belongs = f", theme {judged.theme}" if judged.theme else ""
    tell(f"{judged.reviewer} judges topic {topic_id}: {judged.verdict}{belongs}")


def agreement(as_json: bool = JSON) -> None:
    """How far reviewers agree (Cohen's kappa), and on which topics they do not."""
    from agents.cli.asking import ask
    from agents.curation.agreement import agreed, describe_agreement

    found = agreed(ask(load_settings(logs=False), "codebook_judgements"))
    if as_json:
        print_json(asdict(found))
        return
    if not found.pairs:
        tell("no two reviewers yet: groundswell codebook judge TOPIC include|exclude --reviewer NAME")
    for pair in found.pairs:
        say(f"{pair.one} and {pair.other}")
        say(f"  include or exclude  {describe_agreement(pair.verdicts)}")
        say(f"  theme               {describe_agreement(pair.themes)}")
    for row in found.disagreements:
        say(f"\n{row['name']} ({row['topic_id']})")
        for each in row["judgements"]:
            about = [each["verdict"], each["theme"], each["note"]]
            say(f"  {each['reviewer']}: {', '.join(filter(None, about))}")


def suggest(
    topic_id: int | None = typer.Argument(
        None, metavar="[TOPIC]", help="A topic's id; else all that are in no theme."
    ),
    as_json: bool = JSON,
) -> None:
    """Which theme a topic may belong to, from its words and quotes, and how sure that is."""
    from agents.cli.asking import ask
    from agents.curation.theme_suggestions import suggested
    from agents.runtime.wiring import SharedResources

    settings = load_settings()
    rows = suggested(
        partial(ask, settings), settings.codebook, SharedResources(settings).embedder.embed, topic_id=topic_id
    )
    if as_json:
        print_json(rows)
        return
    shown: Mapping[str, tuple[str, Callable[[Any], str]]] = {
        "topic_id": ("ID", str),
        "name": ("TOPIC", str),
        "theme": ("THEME", lambda theme: theme or "-"),
        "first": ("SUGGESTED", str),
        "second": ("ELSE", str),
    }
    print_rows([each | _ranked(each) for each in rows], shown, "every topic that counts is in a theme")
    if rows:
        tell("nothing is assigned: groundswell codebook assign TOPIC THEME")


def _ranked(row: Mapping[str, Any]) -> dict[str, str]:
    told = [f"{each['theme']} ({100 * each['confidence']:.0f} % sure)" for each in row["suggestions"]]
    return {"first": told[0], "second": told[1]}
