"""The author of a decision or correction: an option, the environment, or the login name."""

from __future__ import annotations

import getpass

import typer

AUTHOR = typer.Option(
    "",
    "--author",
    envvar="GROUNDSWELL_AUTHOR",
    help="Who says so; else your login name.",
    show_default=False,
)


def author_of(given: str) -> str:
    """Return the given name, else the login name."""
    if given.strip():
        return given.strip()
    try:
        return getpass.getuser()
    except (OSError, KeyError) as error:
        raise typer.BadParameter(
            "you have no login name here: say who you are, or set GROUNDSWELL_AUTHOR", param_hint="--author"
        ) from error
