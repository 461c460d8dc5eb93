"""groundswell codebook: the topics that count, their names, merges and themes, and the log of decisions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import typer

from agents.cli.console import load_settings, print_json, print_rows, say, tell, write_file
from agents.cli.curation import asking_model, judging, offering, teaching
from agents.cli.curation.author import AUTHOR
from agents.cli.curation.curating import EXPECT, NOTE, TOPIC, Decision, curating, deciding, print_decision
from agents.queries.wording import day

app = typer.Typer(
    help="The codebook: which topics count, their names and themes. Every decision can be undone.",
    no_args_is_help=True,
)
themes = typer.Typer(help="Themes: create, describe, rename, remove.", no_args_is_help=True)
app.add_typer(themes, name="theme")
judging.register(app)
offering.register(app)
teaching.register(app)
asking_model.register(app)

SMALL_TALK = "small talk of shows"
JSON = typer.Option(False, "--json", help="Print JSON.")
THEME = typer.Argument(metavar="THEME", help="Name of the theme, as shown by `codebook show`.")
REVISION = typer.Option(None, "--revision", min=0, help="Show this revision (default: the newest).")


@app.command()
def show(revision: int | None = REVISION, as_json: bool = JSON) -> None:
    """Show the themes with their topics, the merged topics, and the excluded topics with the reasons."""
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
        tell("no topics yet: add talks with groundswell ingest, and keep groundswell run running")
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
    reason: str = typer.Option(
        ..., "--reason", help="Why it does not count, such as greetings or no single subject."
    ),
) -> Decision:
    """Exclude a topic, and every topic merged into it, from all numbers."""
    from models.codebook import commands

    return lambda standing: commands.exclude(standing, topic_id, reason)


@app.command("small-talk")
def small_talk(
    exclude_all: bool = typer.Option(
        False, "--exclude", help="Exclude all of them, as one decision that one undo takes back."
    ),
    author: str = AUTHOR,
    note: str = NOTE,
    expect: int | None = EXPECT,
    as_json: bool = JSON,
) -> None:
    """List topics that are small talk of shows: greetings, thanks, where to find people. Nothing is changed.

    They are recognised by their place in the talks, in any language; check them before you exclude them.
    """
    from agents.cli.asking import ask
    from models.codebook import commands

    rows = ask(load_settings(logs=False), "small_talk")
    if as_json:
        print_json(rows)
    else:
        shown: Mapping[str, tuple[str, Callable[[Any], str]]] = {
            "topic_id": ("ID", str),
            "name": ("TOPIC", str),
            "talks": ("TALKS", str),
            "reason": ("WHY", str),
        }
        print_rows(rows, shown, "no topic that counts is small talk")
    if not rows:
        return
    if not exclude_all:
        tell("to exclude them all: groundswell codebook small-talk --exclude")
        return
    found = [row["topic_id"] for row in rows]
    with curating(author) as curator:
        print_decision(
            curator.decide(lambda standing: commands.exclude_all(standing, found, SMALL_TALK), note, expect)
        )


@app.command()
@deciding
def include(topic_id: int = TOPIC) -> Decision:
    """Include an excluded topic in the numbers again."""
    from models.codebook import commands

    return lambda standing: commands.include(standing, topic_id)


@app.command()
@deciding
def merge(
    topic_id: int = TOPIC,
    into: int = typer.Argument(metavar="INTO", help="Id of the topic to merge it into."),
) -> Decision:
    """Merge a topic into another one that is about the same subject: they count as one."""
    from models.codebook import commands

    return lambda standing: commands.merge(standing, topic_id, into)


@app.command()
@deciding
def split(topic_id: int = TOPIC) -> Decision:
    """Reverse a `codebook merge`: the topic counts on its own again."""
    from models.codebook import commands

    return lambda standing: commands.split(standing, topic_id)


@app.command()
@deciding
def rename(
    topic_id: int = TOPIC,
    name: str = typer.Argument(metavar="NAME", help="New name of the topic."),
) -> Decision:
    """Rename a topic."""
    from models.codebook import commands

    return lambda standing: commands.rename(standing, topic_id, name)


@app.command()
@deciding
def assign(
    topic_id: int = TOPIC,
    theme: str = typer.Argument(
        metavar="THEME", help='An existing theme; "" takes the topic out of its theme.'
    ),
) -> Decision:
    """Assign a topic to a theme."""
    from models.codebook import commands

    return lambda standing: commands.assign(standing, topic_id, theme)


@themes.command("create")
@deciding
def create_theme(
    theme: str = THEME,
    description: str = typer.Option(
        "", "--description", help="What the theme is about, in a sentence or two."
    ),
) -> Decision:
    """Create a theme, to which topics can then be assigned."""
    from models.codebook import commands

    return lambda standing: commands.create_theme(standing, theme, description)


@themes.command("describe")
@deciding
def describe_theme(
    theme: str = THEME,
    description: str = typer.Argument(
        metavar="DESCRIPTION", help="What the theme is about, in a sentence or two."
    ),
) -> Decision:
    """Describe a theme. `codebook suggest` compares topics with this description."""
    from models.codebook import commands

    return lambda standing: commands.describe_theme(standing, theme, description)


@themes.command("rename")
@deciding
def rename_theme(
    theme: str = THEME,
    name: str = typer.Argument(metavar="NAME", help="New name of the theme."),
) -> Decision:
    """Rename a theme; its topics stay in it."""
    from models.codebook import commands

    return lambda standing: commands.rename_theme(standing, theme, name)


@themes.command("remove")
@deciding
def remove_theme(theme: str = THEME) -> Decision:
    """Remove a theme that has no topics."""
    from models.codebook import commands

    return lambda standing: commands.remove_theme(standing, theme)


@app.command()
def undo(
    revision: int | None = typer.Argument(
        None,
        metavar="[REVISION]",
        help="Revision of the decision to undo (default: the newest one in effect).",
    ),
    author: str = AUTHOR,
    note: str = NOTE,
    expect: int | None = EXPECT,
) -> None:
    """Undo a decision. Undoing an undo restores the decision."""
    with curating(author) as curator:
        print_decision(curator.undo(revision, note, expect))


@app.command()
def history(
    limit: int = typer.Option(50, min=1, max=1000, help="Maximum number of decisions, newest first."),
    as_json: bool = JSON,
) -> None:
    """List the decisions, newest first: what was decided, when and by whom."""
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
        "undone_by": ("UNDONE", lambda by: f"by {by}" if by else ""),
    }
    print_rows(rows, shown, "no decisions yet")


@app.command("export")
def export_(
    file: Path = typer.Argument(metavar="FILE.yaml", dir_okay=False, help="File to write."),
) -> None:
    """Write the codebook as YAML: the themes, and the topics with name, theme and decisions."""
    from agents.cli.asking import ask
    from agents.curation.codebook_service import standing_of
    from models.codebook.file_format import write

    settings = load_settings()
    standing = standing_of(ask(settings, "codebook_standing"))
    write_file(file, write(standing, settings.study))
    tell(f"{len(standing.topics)} topics in {len(standing.themes)} themes: {file}")


@app.command("import")
def import_(
    file: Path = typer.Argument(metavar="FILE.yaml", exists=True, dir_okay=False, help="A codebook in YAML."),
    author: str = AUTHOR,
    note: str = NOTE,
    expect: int | None = EXPECT,
) -> None:
    """Change the codebook to match a file, as one decision.

    Topics that are not in the file stay unchanged; themes that are not in the file are removed, unless they
    still have topics. A file that names a topic which does not exist in this study is refused as a whole.
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
    """Apply the decisions about seeded topics and themes to the new topic model after a rebuild.

    Topics that were born differ in the new model, so the decisions about them are not carried over.
    """
    with curating(author) as curator:
        print_decision(curator.carry_over(note, expect))
