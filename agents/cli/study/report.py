"""groundswell report: the study's table and figures for a period, as a self-contained HTML page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from agents.cli.console import load_settings, print_json, say, tell
from agents.cli.selecting import Selected, selecting
from agents.cli.study.reading import JSON

if TYPE_CHECKING:
    from agents.report.facts import Made
    from streams.settings import Settings

SETTINGS = (
    *("codebook", "languages", "min_duration_s", "max_duration_s", "search_results", "whisper_model"),
    *("diarization_model", "embedding_model", "max_tokens", "sensitivity", "labeller_model"),
)
"""Settings that results depend on; none of them is secret."""
SOFTWARE = (
    "groundswell",
    "bertopic",
    "river",
    "faster-whisper",
    "pyannote.audio",
    "sentence-transformers",
    "scipy",
)


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(report)


@selecting
def report(
    selected: Selected,
    out: Path | None = typer.Option(
        None, metavar="FOLDER", file_okay=False, help="Write report.html and figures/ into this folder."
    ),
    as_json: bool = JSON,
) -> None:
    """Write the table, figures, quotes and method for the selected talks as one HTML file."""
    from agents.cli.asking import asking
    from agents.report.facts import gather
    from agents.report.page import write
    from streams.errors import DataError
    from streams.store.queries.selection import select

    if out is None and not as_json:
        raise typer.BadParameter("give --out FOLDER, or --json to print only the facts", param_hint="--out")
    settings = load_settings()
    with asking(settings) as ask:
        facts = gather(ask, select(selected), made_with(settings))
    if out is not None:
        try:
            page = write(facts, out)
        except OSError as error:
            raise DataError(
                f"cannot write the report to {out} ({error.strerror or error})",
                "choose a folder that you may write to",
            ) from error
        if not facts.themes:
            tell("no selected talk has a retained topic, so the report has no figures")
        tell(f"report of study {settings.study!r}: open {page} in a browser")
    if as_json:
        print_json(facts.as_json())
    elif out is not None:
        say(str(page))


def made_with(settings: Settings) -> Made:
    """Return the study, time, settings and software versions that a report names."""
    from datetime import UTC, datetime
    from importlib.metadata import PackageNotFoundError, version

    from agents.report.facts import Made

    software = {}
    for name in SOFTWARE:
        try:
            software[name] = version(name)
        except PackageNotFoundError:
            software[name] = "unknown"
    return Made(
        study=settings.study,
        made_at=datetime.now(UTC).replace(microsecond=0),
        settings={name: getattr(settings, name) for name in SETTINGS},
        software=software,
    )
