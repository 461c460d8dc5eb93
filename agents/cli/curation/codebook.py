"""groundswell codebook: which topics count, as what, by which name and in which theme; and who said so."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import typer

from agents.cli.console import load_settings, print_json, print_rows, say, tell, write_file
from agents.cli.curation import judging
from agents.cli.curation.author import AUTHOR
from agents.cli.curation.curating import EXPECT, NOTE, TOPIC, Decision, curating, deciding, print_decision
from agents.queries.wording import day

app = typer.Typer(
    help="The codebook: which topics count, their names and themes; every decision can be taken back.",
    no_args_is_help=True,
)
themes = typer.Typer(help="Themes: create, describe, rename, remove.", no_args_is_help=True)
app.add_typer(themes, name="theme")
judging.register(app)

JSON = typer.Option(False, "--json", help="Print JSON.")
THEME = typer.Argument(metavar="THEME", help="The theme's name, as `codebook show` has it.")
REVISION = typer.Option(None, "--revision", min=0, help="As of this revision; else the newest.")


@app.command()
def show(revision: int | None = REVISION, as_json: bool = JSON) -> None:
    """Themes with their topics, what was merged into them, and what is excluded and why."""
    from agents.cli.asking import ask
    from agents.curation.codebook_service import standing_of

    row = ask(load_settings(logs=False), "codebook_standing", revision=revision)
    if as_json:
        print_json(row)
        return
    standing = standing_of(row)
    for line in _lines(standing):
        say(line)
    if not standing.topics:
        tell("no topics yet: hand in talks, and let groundswell run learn them")
    tell(f"revision {row['revision']} (groundswell codebook history)")


def _lines(standing: Any) -> Iterator[str]:
    own = {each: topic for each, topic in sorted(standing.topics.items()) if standing.merges(each) is None}
    shown = [(theme, about) for theme, about in sorted(standing.themes.items())] + [("", "")]
    for theme, about in shown:
        inside = [each for each, topic in own.items() if topic.entry.theme == theme and topic.entry.retained]
        if inside or theme:
            yield (theme or "(not yet in a theme)") + (f": {about}" if about else "")
        for each in inside:
            yield from _branch(standing, each)
    excluded = [each for each, topic in own.items() if not topic.entry.retained]
    if excluded:
        yield "(excluded)"
    for each in excluded:
        yield from _branch(standing, each, f": {own[each].entry.reason}")


def _branch(standing: Any, topic_id: int, why: str = "") -> Iterator[str]:
    yield f"  {topic_id:>4}  {standing.topics[topic_id].called}{why}"
    for other in sorted(standing.topics):
        if other != topic_id and standing.counts_as(other) == topic_id:
            yield f"        + {standing.named(other)}"


@app.command()
@deciding
def exclude(
    topic_id: int = TOPIC,
    reason: str = typer.Option(..., "--reason", help="Why it does not count: greetings, no one subject, …"),
) -> Decision:
    """Let a topic, and what was merged into it, count no more."""
    from models.codebook import commands

    return lambda standing: commands.exclude(standing, topic_id, reason)


@app.command()
@deciding
def include(topic_id: int = TOPIC) -> Decision:
    """Let an excluded topic count again."""
    from models.codebook import commands

    return lambda standing: commands.include(standing, topic_id)


@app.command()
@deciding
def merge(
    topic_id: int = TOPIC,
    into: int = typer.Argument(metavar="INTO", help="The topic that it is to count for."),
) -> Decision:
    """Let a topic count for another one, because both are about the same thing."""
    from models.codebook import commands

    return lambda standing: commands.merge(standing, topic_id, into)


@app.command()
@deciding
def split(topic_id: int = TOPIC) -> Decision:
    """Let a topic that was merged by `codebook merge` count for itself again."""
    from models.codebook import commands

    return lambda standing: commands.split(standing, topic_id)


@app.command()
@deciding
def rename(
    topic_id: int = TOPIC,
    name: str = typer.Argument(metavar="NAME", help="What it is to be called."),
) -> Decision:
    """Give a topic another name."""
    from models.codebook import commands

    return lambda standing: commands.rename(standing, topic_id, name)


@app.command()
@deciding
def assign(
    topic_id: int = TOPIC,
    theme: str = typer.Argument(metavar="THEME", help='A theme that there is; "" takes it out of its theme.'),
) -> Decision:
    """Put a topic into a theme."""
    from models.codebook import commands

    return lambda standing: commands.assign(standing, topic_id, theme)


@themes.command("create")
@deciding
def create_theme(
    theme: str = THEME,
    description: str = typer.Option("", "--description", help="What it is about, in a sentence or two."),
) -> Decision:
    """Make a theme that topics can be put into."""
    from models.codebook import commands

    return lambda standing: commands.create_theme(standing, theme, description)


@themes.command("describe")
@deciding
def describe_theme(
    theme: str = THEME,
    description: str = typer.Argument(metavar="DESCRIPTION", help="What it is about, in a sentence or two."),
) -> Decision:
    """Say what a theme is about: suggestions rest on it."""
    from models.codebook import commands

    return lambda standing: commands.describe_theme(standing, theme, description)


@themes.command("rename")
@deciding
def rename_theme(
    theme: str = THEME,
    name: str = typer.Argument(metavar="NAME", help="What it is to be called."),
) -> Decision:
    """Give a theme another name; its topics move with it."""
    from models.codebook import commands

    return lambda standing: commands.rename_theme(standing, theme, name)


@themes.command("remove")
@deciding
def remove_theme(theme: str = THEME) -> Decision:
    """Take away a theme that no topic is in."""
    from models.codebook import commands

    return lambda standing: commands.remove_theme(standing, theme)


@app.command()
def undo(
    revision: int | None = typer.Argument(
        None, metavar="[REVISION]", help="The decision to take back; else the newest that still holds."
    ),
    author: str = AUTHOR,
    note: str = NOTE,
    expect: int | None = EXPECT,
) -> None:
    """Take a decision back. Undoing an undo makes the decision hold again."""
    with curating(author) as curator:
        print_decision(curator.undo(revision, note, expect))


@app.command()
def history(
    limit: int = typer.Option(50, min=1, max=1000, help="At most so many, the newest."), as_json: bool = JSON
) -> None:
    """Who decided what and when, newest first."""
    from agents.cli.asking import ask
    from agents.curation.codebook_service import EVERY, decision_of
    from models.codebook.undo import undone

    every = ask(load_settings(logs=False), "codebook_decisions", limit=EVERY)
    gone = undone(map(decision_of, every))
    rows = [row | {"undone_by": gone.get(row["revision"])} for row in every[:limit]]
    if as_json:
        print_json(rows)
        return
    shown: Mapping[str, tuple[str, Callable[[Any], str]]] = {
        "revision": ("REVISION", str),
        "decided_at": ("DAY", day),
        "author": ("AUTHOR", str),
        "said": ("DECISION", str),
        "note": ("NOTE", str),
        "undone_by": ("TAKEN BACK", lambda by: f"by {by}" if by else ""),
    }
    print_rows(rows, shown, "nothing was decided yet")


@app.command("export")
def export_(
    file: Path = typer.Argument(metavar="FILE.yaml", dir_okay=False, help="Where to write it."),
) -> None:
    """Write the codebook as YAML: themes, and topics with name, theme, and what was decided about them."""
    from agents.cli.asking import ask
    from agents.curation.codebook_service import standing_of
    from models.codebook.file_format import write

    settings = load_settings()
    standing = standing_of(ask(settings, "codebook_standing"))
    write_file(file, write(standing, settings.study))
    tell(f"{len(standing.topics)} topics in {len(standing.themes)} themes: {file}")


@app.command("import")
def import_(
    file: Path = typer.Argument(metavar="FILE.yaml", exists=True, dir_okay=False, help="A codebook as YAML."),
    author: str = AUTHOR,
    note: str = NOTE,
    expect: int | None = EXPECT,
) -> None:
    """Let the codebook say what a file says, as one decision.

    Topics that the file does not name stay as they are; themes that it does not name go, unless a topic is in
    them. A file that names topics that do not exist here is refused as a whole.
    """
    from models.codebook.file_format import read
    from models.errors import BadInput

    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise BadInput(f"{file} is not text in UTF-8", "save it as UTF-8") from error
    codebook = read(text, str(file))
    with curating(author) as curator:
        print_decision(curator.take_over(codebook, note, expect))


@app.command("carry-over")
def carry_over(author: str = AUTHOR, note: str = NOTE, expect: int | None = EXPECT) -> None:
    """After a rebuild, let what was decided about seeded topics and themes hold for the new model.

    Topics that were born are others in the new model, so what was decided about them is not carried over.
    """
    with curating(author) as curator:
        print_decision(curator.carry_over(note, expect))
