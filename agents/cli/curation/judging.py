"""groundswell codebook judge, agreement: reviewers' judgements of topics."""

from __future__ import annotations

from dataclasses import asdict

import typer

from agents.cli.console import load_settings, print_json, say, tell
from agents.cli.curation.curating import TOPIC, curating

JSON = typer.Option(False, "--json", help="Print JSON.")
VERDICTS = ("include", "exclude")


def register(app: typer.Typer) -> None:
    """Add the commands to `groundswell codebook`."""
    for command in (judge, agreement):
        app.command()(command)


def judge(
    topic_id: int = TOPIC,
    verdict: str = typer.Argument(metavar="include|exclude", help="Whether the topic should count."),
    reviewer: str = typer.Option(..., "--reviewer", help="Name of the reviewer."),
    theme: str = typer.Option("", "--theme", help="The theme to which it belongs."),
    note: str = typer.Option("", "--note", help="Why."),
) -> None:
    """Record your judgement of a topic as a reviewer. It changes no number and shows no other judgement.

    A later judgement by the same reviewer replaces the earlier one.
    """
    if verdict not in VERDICTS:
        raise typer.BadParameter(f"{verdict!r} is neither include nor exclude", param_hint="VERDICT")
    with curating(reviewer) as curator:
        judged = curator.judge(topic_id, verdict, theme, note)  # type: ignore[arg-type]
    belongs = f", theme {judged.theme}" if judged.theme else ""
    tell(f"{judged.reviewer} judges topic {topic_id}: {judged.verdict}{belongs}")


def agreement(as_json: bool = JSON) -> None:
    """Show how far reviewers agree (Cohen's kappa), and the topics on which they disagree."""
    from agents.cli.asking import ask
    from agents.curation.agreement import agreed, describe_agreement

    found = agreed(ask(load_settings(logs=False), "codebook_judgements"))
    if as_json:
        print_json(asdict(found))
        return
    if not found.pairs:
        tell("fewer than two reviewers: groundswell codebook judge TOPIC include|exclude --reviewer NAME")
    for pair in found.pairs:
        say(f"{pair.one} and {pair.other}")
        say(f"  include or exclude  {describe_agreement(pair.verdicts)}")
        say(f"  theme               {describe_agreement(pair.themes)}")
    for row in found.disagreements:
        say(f"\n{row['name']} ({row['topic_id']})")
        for each in row["judgements"]:
            about = [each["verdict"], each["theme"], each["note"]]
            say(f"  {each['reviewer']}: {', '.join(filter(None, about))}")
