"""The author of a decision or correction: an option, the environment, or the login name."""

from __future__ import annotations

import getpass

import typer

AUTHOR = typer.Option(
    "",
    "--author",
    envvar="GROUNDSWELL_AUTHOR",
    help="Name to record as the author (default: your login name).",
    show_default=False,
)


def author_of(given: str) -> str:
    """Return the given name, or the login name if it is empty."""
    if given.strip():
        return given.strip()
    try:
        return getpass.getuser()
    except (OSError, KeyError) as error:
        raise typer.BadParameter(
            "this machine has no login name for you: give your name here, or set GROUNDSWELL_AUTHOR",
            param_hint="--author",
        ) from error
