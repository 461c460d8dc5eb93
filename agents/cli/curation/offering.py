"""groundswell codebook suggest, accept: places for topics without a theme, accepted one by one or in bulk."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer

from agents.cli.console import load_settings, print_json, print_rows, say, tell
from agents.cli.curation.author import AUTHOR
from agents.cli.curation.curating import EXPECT, NOTE, curating, print_decision
from agents.queries.wording import percent

if TYPE_CHECKING:
    from agents.curation.offers import OfferedPlace, OfferedTopic
    from models.codebook.placement import Placement
    from models.codebook.state import CodebookState

JSON = typer.Option(False, "--json", help="Print JSON.")


def register(app: typer.Typer) -> None:
    """Add the commands to `groundswell codebook`."""
    for command in (suggest, accept):
        app.command()(command)


def suggest(
    topic_id: int | None = typer.Argument(
        None, metavar="[TOPIC]", help="Id of a topic (default: all topics without a theme)."
    ),
    as_json: bool = JSON,
) -> None:
    """Suggest a place for topics: a theme, or a topic of the codebook that most of it is about.

    A theme is suggested by the topic's words and quotes, each with its confidence. A topic that was born is
    suggested as a part of a topic of the codebook if many of its paragraphs are about that one.
    """
    rows = _offered(topic_id)
    if as_json:
        print_json(rows)
        return
    shown: Mapping[str, tuple[str, Callable[[Any], str]]] = {
        "topic_id": ("ID", str),
        "name": ("TOPIC", str),
        "theme": ("THEME", lambda theme: theme or "-"),
        "first": ("SUGGESTED", str),
        "second": ("SECOND CHOICE", str),
        "reason": ("WHY", str),
    }
    print_rows([{**row, **_ranked(row)} for row in rows], shown, "every topic that counts has a theme")
    if rows:
        tell("these are suggestions only; to follow them: groundswell codebook accept TOPIC… or --all")


def accept(
    topics: list[int] | None = typer.Argument(None, metavar="TOPIC", help="Ids of topics without a theme."),
    *,
    every: bool = typer.Option(False, "--all", help="All topics without a theme."),
    min_confidence: float = typer.Option(
        0.0, min=0, max=1, help="Leave out suggestions that are less certain, from 0 to 1."
    ),
    theme: str = typer.Option("", help="Put the topics into this theme instead of the one suggested."),
    no_merge: bool = typer.Option(
        False,
        "--no-merge",
        help="Follow the first theme, also where a topic is suggested as a part of another.",
    ),
    dry_run: bool = typer.Option(False, "--dry-run", help="Only show what would be decided."),
    author: str = AUTHOR,
    note: str = NOTE,
    expect: int | None = EXPECT,
) -> None:
    """Follow the first suggestion for topics without a theme, as one decision that one undo takes back."""
    from agents.cli.asking import ask
    from agents.curation.codebook_service import standing_of
    from models.codebook.placement import place
    from models.errors import BadInput

    if bool(topics) == every:
        raise BadInput("name the topics, or --all, not both", "see groundswell codebook suggest")
    if theme and every:
        raise BadInput("--theme is for topics that are named", "name the topics that belong to it")
    settings = load_settings()
    standing = standing_of(ask(settings, "codebook_standing"))
    placements = _placements(topics, theme, min_confidence, merge=not no_merge)
    change = place(standing, placements)
    _print_placements(standing, placements)
    _print_effect(placements)
    if dry_run:
        tell(f"nothing was changed; the decision would be: {change.said}")
        return
    with curating(author) as curator:
        expected = standing.revision if expect is None else expect
        print_decision(curator.decide(lambda now: place(now, placements), note, expected))
    tell("to take it back: groundswell codebook undo")


def _placements(topics: Sequence[int] | None, theme: str, least: float, *, merge: bool) -> list[Placement]:
    from agents.curation.offers import accepted
    from models.codebook.placement import Placement

    if theme:
        return [Placement(each, theme) for each in topics or ()]
    return accepted(_offered(), topics or (), least=least, parts=merge)


def _offered(topic_id: int | None = None) -> list[OfferedTopic]:
    from agents.cli.asking import asking
    from agents.curation.offers import offered
    from agents.runtime.wiring import SharedResources

    settings = load_settings()
    with asking(settings) as ask:
        return offered(ask, settings.codebook, SharedResources(settings).embedder.embed, topic_id=topic_id)


def _ranked(row: OfferedTopic) -> dict[str, str]:
    first, *rest = row["offers"]
    return {
        "first": _told(first),
        "second": _told(rest[0]) if rest else "-",
        "reason": first["reason"],
    }


def _told(offer: OfferedPlace) -> str:
    place = offer["theme"] if offer["into"] is None else f"part of {offer['into_name']} ({offer['into']})"
    return f"{place}, {100 * offer['confidence']:.0f} % sure"


def _print_placements(standing: CodebookState, placements: Sequence[Placement]) -> None:
    rows = [
        {
            "topic_id": each.topic_id,
            "name": standing.topics[each.topic_id].called,
            "place": each.theme if each.into is None else f"counts for {standing.named(each.into)}",
        }
        for each in placements
    ]
    print_rows(rows, {"topic_id": ("ID", str), "name": ("TOPIC", str), "place": ("PLACE", str)})


def _print_effect(placements: Sequence[Placement]) -> None:
    """Print the themes whose number of talks the placements change."""
    from agents.cli.asking import ask

    rows = ask(load_settings(logs=False), "placed_themes", placements="\n".join(map(str, placements)))
    changed = [row for row in rows if row["videos"] != row["videos_after"]]
    if not changed:
        say("no theme counts other talks than before")
        return
    say("")
    shown = [
        {
            "theme": row["theme"],
            "before": f"{row['videos']} ({percent(row['share'])})",
            "after": f"{row['videos_after']} ({percent(row['share_after'])})",
        }
        for row in changed
    ]
    print_rows(shown, {"theme": ("THEME", str), "before": ("TALKS BEFORE", str), "after": ("AFTER", str)})
