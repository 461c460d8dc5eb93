"""groundswell validate: people code a sample of paragraphs, which shows how valid the numbers are."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import typer

from agents.cli.console import load_settings, print_json, print_rows, say, tell
from agents.cli.curation.author import AUTHOR
from agents.cli.curation.curating import service_of

app = typer.Typer(
    help="Validate the codebook: people code a sample of paragraphs, blind; the rest is estimated from that.",
    no_args_is_help=True,
)
JSON = typer.Option(False, "--json", help="Print JSON.")
REVIEWER = typer.Option(..., "--reviewer", help="Name of the reviewer.")


@app.command()
def draw(
    *,
    given: Path | None = typer.Option(
        None,
        "--given",
        metavar="FILE",
        help="Take these paragraphs instead, as if drawn at random: a CSV with the columns talk and "
        "paragraph_id; - for stdin.",
    ),
    counted: int = typer.Option(10, min=0, max=200, help="Paragraphs of each topic that count for it."),
    near: int = typer.Option(5, min=0, max=200, help="Others of each topic's talks."),
    random: int = typer.Option(120, min=0, max=2000, help="Paragraphs of any kind."),
    author: str = AUTHOR,
    as_json: bool = JSON,
) -> None:
    """Draw a sample of paragraphs to code. It replaces the sample before.

    A paragraph is always drawn by the same number: a larger sample contains a smaller one, and what was coded
    still counts. No topic learns from the paragraphs of a sample.
    """
    from agents.curation.validation.coding_sheet import listed
    from agents.curation.validation.validator import Validator

    chosen = None if given is None else list(listed(_text(given)))
    with service_of(Validator, author) as validator:
        event = validator.draw(counted, near, random) if chosen is None else validator.give(chosen)
    if as_json:
        print_json(event.model_dump(mode="json"))
        return
    drawn, topics = len(event.paragraphs), len(event.topics)
    say(f"{drawn:,} of {event.population:,} paragraphs, to code for {topics} topics")
    tell("two people code them independently: on the page at /curation/validate, or with")
    tell("groundswell validate sheet --reviewer NAME > sheet.csv, and groundswell validate read sheet.csv")


@app.command()
def sheet(
    reviewer: str = typer.Option("", "--reviewer", help="Leave out what this person has coded."),
    topics: bool = typer.Option(False, "--topics", help="Print the topics with their definitions instead."),
) -> None:
    """Print the sample as a sheet (CSV). Fill in its column `topics`: names separated by `;`, or none."""
    import csv

    from agents.cli.asking import ask
    from agents.curation.validation.coding_sheet import definitions, sheet
    from models.codebook.codebook import load

    settings = load_settings(logs=False)
    if topics:
        samples = ask(settings, "validation_samples")
        book = load(settings.codebook)
        keys = samples[0]["topics"] if samples else [topic.key for topic in book.topics]
        writer = csv.DictWriter(sys.stdout, ("key", "name", "theme", "definition"), lineterminator="\n")
        writer.writeheader()
        writer.writerows(definitions(book, keys))
        return
    tasks = ask(settings, "coding_queue", reviewer=reviewer)
    say(sheet(tasks).rstrip("\n"))
    if not tasks:
        tell("no paragraph is left to code: groundswell validate draw draws a sample")


@app.command()
def read(
    file: Path = typer.Argument(metavar="FILE", help="A sheet that somebody has filled in; - for stdin."),
    reviewer: str = REVIEWER,
    as_json: bool = JSON,
) -> None:
    """Read a sheet that a reviewer has filled in. Paragraphs without topics are not coded yet."""
    from agents.curation.validation.coding_sheet import filled_in
    from agents.curation.validation.validator import Validator
    from models.codebook.codebook import load

    rows = list(filled_in(_text(file), load(load_settings(logs=False).codebook)))
    with service_of(Validator, reviewer) as validator:
        events = validator.code(rows)
        sample = validator.sample()
    if as_json:
        print_json({"read": len(rows), "changed": len(events), "sample": sample})
        return
    tell(f"{len(rows):,} paragraphs coded by {validator.author}, {len(events):,} of them new or changed")
    tell("groundswell validate show shows the results")


@app.command()
def show(as_json: bool = JSON) -> None:
    """Show the precision and recall of each topic and theme, with intervals and agreement."""
    from agents.cli.asking import ask

    settings = load_settings(logs=False)
    rows = ask(settings, "validation")
    if as_json:
        print_json(rows)
        return
    samples = ask(settings, "validation_samples")
    shown: Mapping[str, tuple[str, Callable[[Any], str]]] = {
        "name": ("", str),
        "counted": ("COUNTED", str),
        "precision": ("PRECISION", str),
        "recall": ("RECALL", str),
        "kappa": ("KAPPA", lambda kappa: "-" if kappa is None else f"{kappa:.2f}"),
        "share": ("SHARE", lambda share: f"{100 * share:.1f} %"),
        "corrected": ("CORRECTED", str),
        "validated": ("VALIDATED", lambda validated: "yes" if validated else "no"),
    }
    print_rows(
        [row | {name: rate(row, name) for name in ("precision", "recall", "corrected")} for row in rows],
        shown,
        "nothing is validated yet: groundswell validate draw draws paragraphs for two people to code"
        if not samples
        else "nobody has coded a paragraph of the sample: groundswell validate sheet gives it out",
    )
    if samples:
        newest = samples[0]
        tell(
            f"sample of {newest['paragraphs']:,} paragraphs: {newest['coded']:,} coded, "
            f"{newest['coded_twice']:,} of them by two people or more"
        )


def _text(file: Path) -> str:
    from streams.errors import DataError

    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot read {file} ({error})", "name a CSV file in UTF-8") from error


def rate(row: Mapping[str, Any], name: str) -> str:
    """Return a rate with its 95 % interval, in percent; `-` where the sample cannot say.

    Example:
        >>> rate({"recall": 0.5, "recall_low": 0.254, "recall_high": 0.8}, "recall")
        '50 % (25 to 80)'
    """
    if row[name] is None:
        return "-"
    digits = 1 if name == "corrected" else 0
    low, high = (f"{100 * row[f'{name}_{end}']:.{digits}f}" for end in ("low", "high"))
    return f"{100 * row[name]:.{digits}f} % ({low} to {high})"
