"""groundswell codebook doubtful, teach, refit: people teach the topics of the codebook."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

import typer

from agents.cli.console import load_settings, print_json, print_rows, say, tell
from agents.cli.curation.author import AUTHOR
from agents.cli.curation.curating import TOPIC, service_of

if TYPE_CHECKING:
    from agents.curation.concept_teaching import Verdict

JSON = typer.Option(False, "--json", help="Print JSON.")
VERDICTS = {"about": "about", "not-about": "not about", "withdraw": "withdrawn"}
"""What can be said of a paragraph, as it is written on the command line and in events."""
_SHOWN = 70


def register(app: typer.Typer) -> None:
    """Add the commands to `groundswell codebook`."""
    for command in (doubtful, teach, refit):
        app.command()(command)


def doubtful(
    topic_id: int | None = typer.Argument(None, metavar="[TOPIC]", help="Id of a topic of the codebook."),
    reviewer: str = typer.Option("", "--reviewer", help="Leave out what this person has judged."),
    limit: int = typer.Option(20, "--limit", min=1, max=1000, help="Maximum number of paragraphs."),
    as_json: bool = JSON,
) -> None:
    """List the paragraphs that are most worth judging: uncertain, and of frequent topics, first."""
    from agents.cli.asking import ask

    rows = ask(load_settings(logs=False), "doubtful", topic_id=topic_id, reviewer=reviewer, limit=limit)
    if as_json:
        print_json(rows)
        return
    shown: Mapping[str, tuple[str, Callable[[Any], str]]] = {
        "topic_id": ("ID", str),
        "name": ("TOPIC", str),
        "probability": ("PROBABILITY", lambda p: f"{p:.2f}"),
        "video_id": ("TALK", str),
        "position": ("PARAGRAPH", str),
        "text": ("TEXT", shortened),
    }
    print_rows(rows, shown, "no paragraph of a topic of the codebook is left to judge")
    if rows:
        tell("groundswell codebook teach TOPIC TALK PARAGRAPH about|not-about --reviewer NAME")


def shortened(text: str) -> str:
    """Return the beginning of a paragraph, for a table."""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def teach(  # noqa: PLR0917 - arguments of a command
    topic_id: int = TOPIC,
    video_id: str = typer.Argument(metavar="TALK", help="Id of the talk."),
    position: int = typer.Argument(metavar="PARAGRAPH", min=0, help="Number of the paragraph, from 0."),
    verdict: str = typer.Argument(metavar="about|not-about|withdraw", help="Your judgement."),
    reviewer: str = typer.Option(..., "--reviewer", help="Name of the reviewer."),
    note: str = typer.Option("", "--note", help="Why."),
) -> None:
    """Record whether a paragraph is about a topic. It changes numbers with the next `codebook refit`.

    A later judgement by the same reviewer replaces the earlier one.
    """
    from agents.curation.concept_teaching import ConceptTeacher

    if verdict not in VERDICTS:
        raise typer.BadParameter(
            f"{verdict!r} is neither about, not-about nor withdraw", param_hint="VERDICT"
        )
    with service_of(ConceptTeacher, reviewer) as teacher:
        event = teacher.judge_paragraph(
            video_id, position, topic_id, cast("Verdict", VERDICTS[verdict]), note
        )
    if event.verdict == "withdrawn":
        tell(f"{event.reviewer} withdraws the judgement of paragraph {position}")
    else:
        tell(f"{event.reviewer}: paragraph {position} is {event.verdict} {event.concept}")
    tell("groundswell codebook refit updates the numbers")


def refit(author: str = AUTHOR, as_json: bool = JSON) -> None:
    """Fit the topics of the codebook to all judgements, and judge every talk again.

    No talk is transcribed or embedded again. Judgements on which reviewers differ are left out. To undo it,
    withdraw judgements and refit.
    """
    from agents.curation.concept_teaching import ConceptTeacher
    from agents.instance.event_publisher import sending
    from agents.instance.running_instance import open_cluster
    from streams.errors import Unavailable

    settings = load_settings()
    cluster = open_cluster(settings)
    if cluster is None:
        raise Unavailable(
            f"study {settings.study!r} is not running, so the request would not be processed",
            "start it with groundswell run, then try again",
        )

    with cluster, service_of(ConceptTeacher, author) as teacher:
        event, judgements = teacher.request(sending(cluster))
    if as_json:
        print_json({"request_id": event.event_id, "judgements": judgements})
        return
    say(f"{judgements} judgements")
    tell("the talks are judged again in the background; groundswell topics will show the result")
