"""Options that select talks, for every command that prints numbers."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Concatenate, ParamSpec, get_type_hints

import typer

P = ParamSpec("P")
Selected = dict[str, Any]
"""The given options, keyed by the names of `Selection`; options not given are absent."""
_PERIOD = "YYYY-MM[-DD]"
_OPTIONS: dict[str, tuple[Any, Any]] = {
    "first": (
        str | None,
        typer.Option(None, "--from", help="First month or day of publication.", metavar=_PERIOD),
    ),
    "last": (str | None, typer.Option(None, "--to", help="Last month or day, inclusive.", metavar=_PERIOD)),
    "source": (str, typer.Option("", help="Only talks from this source.", show_default=False)),
    "channel": (str, typer.Option("", help="Only talks of this channel.", show_default=False)),
    "show": (str, typer.Option("", help="Only talks of this show.", show_default=False)),
    "speaker": (str, typer.Option("", help="Only talks in which this person speaks.", show_default=False)),
    "language": (str, typer.Option("", help="Only talks in this language (ISO 639-1).", show_default=False)),
    "codebook": (
        int | None,
        typer.Option(None, min=0, metavar="REVISION", help="Count by this revision of the codebook."),
    ),
}


def selecting(command: Callable[Concatenate[Selected, P], None]) -> Callable[..., None]:
    """Add the selection options to a command and pass it the selection as its first argument."""

    @wraps(command)
    def asked(**given: Any) -> None:
        chosen = {name: given.pop(name) for name in _OPTIONS}
        selected = {name: value for name, value in chosen.items() if value not in (None, "")}
        _check(selected.get("first"), selected.get("last"))
        command(selected, **given)  # type: ignore[call-arg]

    extend(asked, command, _OPTIONS, taken=1)
    return asked


def extend(
    wrapper: Callable[..., None],
    command: Callable[..., Any],
    options: Mapping[str, tuple[Any, Any]],
    *,
    taken: int = 0,
) -> None:
    """Give a wrapper the signature that typer reads: the command's own parameters, and these options.

    Args:
        options: type and typer option by parameter name.
        taken: number of the command's first parameters to leave out, since the wrapper passes them.
    """
    own = list(inspect.signature(command).parameters.values())[taken:]
    hints = get_type_hints(command)
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=option)
        for name, (_, option) in options.items()
    ]
    wrapper.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [*(each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in own), *added]
    )
    wrapper.__annotations__ = {each.name: hints[each.name] for each in own} | {
        name: kind for name, (kind, _) in options.items()
    }


def _check(first: str | None, last: str | None) -> None:
    from streams.store.queries.selection import Selection, is_period

    for option, text in (("--from", first), ("--to", last)):
        if text is not None and not is_period(text):
            raise typer.BadParameter(
                f"{text!r} is not a month or day from 1970-01 to 2099-12: write it as 2025-03 or 2025-03-31",
                param_hint=option,
            )
    days = Selection(first, last).days
    if days[0] > days[1]:
        raise typer.BadParameter(f"{first} is after {last}", param_hint="--from")
