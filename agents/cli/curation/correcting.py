"""Parts shared by the commands that correct talks: the corrector, its output and its errors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import typer

from agents.cli.console import load_settings, print_json, tell
from agents.cli.curation.author import author_of

if TYPE_CHECKING:
    from agents.curation.video_corrections import Corrected, Corrector
    from streams.events import VideoCorrected
    from streams.store.rows.talks import WholeTalk

UNDO = {"withdrawn": "restore", "kept": "withdraw"}
"""The command that undoes a correction, by kind of correction."""


@contextmanager
def correcting(author: str) -> Iterator[Corrector]:
    """Yield a corrector of the study. It sends corrections to the broker, or writes them if no broker runs.

    Raises:
        Unavailable: the broker does not answer, or a process that only serves the page holds the database.
    """
    from agents.cli.asking import ask
    from agents.curation.video_corrections import Corrector
    from agents.instance.clock import utc_now
    from agents.instance.event_publisher import delivering
    from streams.state.blobs import Blobs

    settings = load_settings()
    with delivering(settings) as deliver, misused():
        yield Corrector(
            Blobs(settings.blobs_url), partial(ask, settings), deliver, utc_now, author_of(author), say=tell
        )


def print_corrections(found: Sequence[Corrected], *, as_json: bool) -> None:
    """Print the result of each correction and the command that undoes it."""
    for each in found:
        tell(each.said + (_undo(each.event) if each.event is not None else ""))
    if as_json:
        events = [each.event for each in found if each.event is not None]
        print_json([{"correction_id": event.event_id} | event.model_dump() for event in events])


def _undo(event: VideoCorrected) -> str:
    if event.what == "named" and event.name:
        return f" (undo: groundswell videos unname {event.video_id} {event.speaker})"
    if event.what not in UNDO:
        return ""
    return f" (undo: groundswell videos {UNDO[event.what]} {event.video_id})"


def known(video_id: str) -> WholeTalk:
    """Return the row of a talk; an unknown id is wrong usage (typer.BadParameter)."""
    from agents.cli.asking import ask
    from agents.curation.video_corrections import known as known_by

    with misused("ID"):
        return known_by(partial(ask, load_settings()), video_id)


@contextmanager
def misused(hint: str | None = None) -> Iterator[None]:
    """Turn BadInput into typer.BadParameter, so that it is reported as wrong usage."""
    from models.errors import BadInput

    try:
        yield
    except BadInput as error:
        raise typer.BadParameter(str(error), param_hint=hint) from error
