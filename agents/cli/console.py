"""Parts shared by all commands: settings from options; output of rows, JSON and errors."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from streams.settings import Settings


OBEYED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]")
"""Characters that a terminal interprets: control characters except tab and newline, and bidirectional
embeddings and overrides."""


@dataclass
class State:
    """The options given before the command."""

    study: str = ""
    log_level: str = ""
    log_json: bool = False
    """Whether logs are JSON: then messages to the user are logged as well."""


state = State()


def load_settings(*, logs: bool = True, **defaults: Any) -> Settings:
    """Return the settings. Options before the command override the environment; `defaults` do not.

    Args:
        logs: configure logging. Commands that only query views pass False: `asking.ask` configures logging
            if it opens the database.
        defaults: default settings of this command.

    Raises:
        Misconfigured: a setting is wrong.
    """
    import os

    from pydantic import ValidationError
    from pydantic_settings import SettingsError

    from agents.cli import variables
    from streams.settings import Settings

    given: dict[str, Any] = {
        name: value for name, value in defaults.items() if f"GROUNDSWELL_{name.upper()}" not in os.environ
    }
    given |= {
        name: value for name, value in (("study", state.study), ("log_level", state.log_level)) if value
    }
    try:
        settings = Settings(**given)
    except ValidationError as error:
        raise variables.refused(error) from error
    except SettingsError as error:
        raise variables.not_json(error) from error
    if logs:
        from streams.log_output import configure_logging, format_of

        configure_logging(format_of(settings))
        state.log_json = settings.log_json
    for name, meant in variables.misspelt(os.environ).items():
        tell(f"warning: {name} is not a setting and has no effect; did you mean {meant}?")
    _check_home(settings.home)
    return settings


def _check_home(home: Path) -> None:
    """Create the home folder; raise Misconfigured if it cannot be created or written to."""
    import os

    from streams.errors import Misconfigured

    try:
        home.mkdir(parents=True, exist_ok=True)
        reason = "" if os.access(home, os.W_OK | os.X_OK) else "it is not writable"
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
    if reason:
        raise Misconfigured(
            f"GROUNDSWELL_HOME={str(home)[:200]!r} cannot be used ({reason})",
            "set it to a folder that you may write to, or leave it unset",
        )


def write_file(path: Path, text: str) -> None:
    """Write text to a file whose path the user chose.

    Raises:
        Misconfigured: the folder does not exist or is not writable.
    """
    from streams.errors import Misconfigured

    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Misconfigured(
            f"{path} cannot be written ({error.strerror or error})",
            "choose a file in an existing folder that you may write to",
        ) from error


def print_json(value: Any) -> None:
    """Print a value as JSON on stdout."""
    from streams.timestamps import as_json

    text = json.dumps(value, default=as_json, ensure_ascii=False, indent=2)
    say(OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", text))  # json.dumps does not escape all of them


Format = Callable[[Any], str]


def print_rows(
    rows: Sequence[Mapping[str, Any]], columns: Mapping[str, tuple[str, Format]], empty: str = "nothing yet"
) -> None:
    """Print rows as a table on stdout; `columns` maps a key to its heading and format."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    if not rows:
        tell(empty)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading, _ in columns.values():
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*(Text(harmless(form(row[key]))) for key, (_, form) in columns.items()))
    width = None if sys.stdout.isatty() else 160
    Console(width=width).print(table)


def harmless(text: str) -> str:
    """Return text without characters that a terminal interprets, such as those that move the cursor."""
    from streams import intake

    return OBEYED.sub("", intake.text(text))


def say(text: object = "") -> None:
    """Print text on stdout."""
    print(harmless(str(text)))


def tell(text: str) -> None:
    """Print a message to the user on stderr, or log it if logs are JSON.

    A disk that is full must not hide the exit status, so what stderr does not take is lost.
    """
    if state.log_json:
        import structlog

        structlog.get_logger().info(harmless(text))
        return
    with suppress(OSError):
        print(harmless(text), file=sys.stderr)


def complain(cause: str, cure: str) -> None:
    """Print an error with its cause and cure on stderr, or log it if logs are JSON."""
    if state.log_json:
        import structlog

        structlog.get_logger().error(harmless(cause), cure=harmless(cure))
    else:
        tell(f"error: {cause}\n  cure: {cure}")


def exit_code_of(error: Exception) -> int:
    """Print an error and return the exit code for it."""
    import traceback

    from agents.cli.explaining import explained
    from agents.consumer.error_attribution import is_the_events
    from streams.errors import Explained, Misconfigured, Unavailable

    said = explained(error)
    if said is None:
        cause, cure = getattr(error, "cause", None), getattr(error, "cure", None)
        if cause is None or cure is None:
            if not is_the_events(error):  # a disk, rights, memory, a network
                complain(f"{type(error).__name__}: {error}", "fix the cause it names, then try again")
                return 3
            tell("".join(traceback.format_exception(error)))
            tell("this is a bug in groundswell: please report the lines above")
            return 1
        complain(str(cause), str(cure))
        return 1
    complain(said.cause, said.cure)
    codes: dict[type[Explained], int] = {Misconfigured: 2, Unavailable: 3}
    return codes.get(type(said), 1)
