"""The command line: data on stdout, progress and logs on stderr, errors that name cause and cure.

Exit codes: 0 success · 1 something failed · 2 wrong usage or setting · 3 broker or ClickHouse unavailable ·
130 interrupted. Heavy imports happen inside the commands, so that --help is fast.
"""

from __future__ import annotations

import os
import sys

os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # none is used; to look for them costs 50 ms

import typer

from agents.cli.console import exit_code_of, state
from agents.cli.curation import codebook, curators, glossary, review, validating
from agents.cli.operation import alerts, dead_letters, operate, recovering, sources
from agents.cli.study import export, reading, report, topics, transcript, videos

app = typer.Typer(
    name="groundswell",
    help="Watch the talks of a community: the topics they cover, how these change, and new topics.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def options(
    study: str = typer.Option("", help="Study to work on (default: GROUNDSWELL_STUDY).", show_default=False),
    log_level: str = typer.Option(
        "", help="Log level: debug, info, warning or error (default: GROUNDSWELL_LOG_LEVEL)."
    ),
) -> None:
    """Set the options shared by all commands."""
    state.study, state.log_level = study, log_level


operate.register(app)
recovering.register(app)
reading.register(app)
export.register(app)
report.register(app)
transcript.register(app)
app.add_typer(topics.app, name="topics")
app.add_typer(codebook.app, name="codebook")
app.add_typer(validating.app, name="validate")
app.add_typer(glossary.app, name="glossary")
app.add_typer(curators.app, name="curators")
app.add_typer(videos.app, name="videos")
app.add_typer(alerts.app, name="alerts")
app.add_typer(sources.app, name="sources")
app.add_typer(review.app, name="review")
app.add_typer(dead_letters.app, name="dead-letters")


def main() -> None:
    """Run the command line and exit with its code; typer reports wrong usage and Ctrl-C."""
    try:
        app()
    except Exception as error:
        sys.exit(exit_code_of(error))
