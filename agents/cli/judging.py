"""groundswell codebook judge, agreement, suggest: what reviewers think of topics, where one may belong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer

from agents.cli.console import load_settings, print_json, print_rows, tell
from agents.cli.curating import TOPIC, curating

if TYPE_CHECKING:
    from models.agreement import Agreement
    from streams.settings import Settings

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
    from agents.cli.running import ask
    from models.agreement import Judgement, disagreements, pairs

    rows = ask(load_settings(), "codebook_judgements")
    names = {row["topic_id"]: row["name"] for row in rows}
    said = [Judgement(**{name: row[name] for name in Judgement.__dataclass_fields__}) for row in rows]
    compared = list(pairs(said))
    differing = [
        {
            "topic_id": topic_id,
            "name": names[topic_id],
            "judgements": [_judgement(asdict(each)) for each in all_],
        }
        for topic_id, all_ in disagreements(said).items()
    ]
    if as_json:
        print_json({"pairs": [asdict(pair) for pair in compared], "disagreements": differing})
        return
    if not compared:
        tell("no two reviewers yet: groundswell codebook judge TOPIC include|exclude --reviewer NAME")
    for pair in compared:
        print(f"{pair.one} and {pair.other}")
        print(f"  include or exclude  {_told(pair.verdicts)}")
        print(f"  theme               {_told(pair.themes)}")
    for row in differing:
        print(f"\n{row['name']} ({row['topic_id']})")
        for each in row["judgements"]:
            about = [each["verdict"], each["theme"], each["note"]]
            print(f"  {each['reviewer']}: {', '.join(filter(None, about))}")


def _judgement(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("reviewer", "verdict", "theme", "note")}


def _told(found: Agreement) -> str:
    if found.observed is None:
        return found.undefined
    kappa = (
        f"kappa {found.kappa:.2f}" if found.kappa is not None else f"kappa is not defined: {found.undefined}"
    )
    return f"the same for {100 * found.observed:.1f} % of {found.both} topics, {kappa}"


def suggest(
    topic_id: int | None = typer.Argument(
        None, metavar="[TOPIC]", help="A topic's id; else all that are in no theme."
    ),
    as_json: bool = JSON,
) -> None:
    """Which theme a topic may belong to, from its words and quotes, and how sure that is."""
    from agents.cli.running import ask
    from agents.curate import standing_of
    from agents.registry import Parts
    from agents.suggest import QUOTES, suggestions

    settings = load_settings()
    row = ask(settings, "codebook_standing")

    def quotes(topic_id: int) -> list[str]:
        return [quote["text"] for quote in ask(settings, "quotes", topic_id=topic_id, limit=QUOTES)]

    rows = suggestions(
        standing_of(row),
        {topic["topic_id"]: topic["words"] for topic in row["topics"]},
        quotes,
        dict(_descriptions(settings)),
        Parts(settings).embedder.embed,
        topic_id=topic_id,
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


def _descriptions(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield what the codebook that seeds the study says of its topics, by key."""
    from models.codebook import load

    for topic in load(settings.codebook).topics:
        yield topic.key, topic.description
