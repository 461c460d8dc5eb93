"""Correcting talks: a correction is kept, then brought to the database; or refused, and nothing changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

import typer

from agents.cli.console import load_settings, print_json, tell

if TYPE_CHECKING:
    from streams.corrections import Standing
    from streams.events import VideoCorrected
    from streams.settings import Settings

FORMATS = ("%Y-%m-%d", "%Y-%m-%dT%H:%M")
Known = Mapping[str, Any]
"""A talk, as the view `talk` says it."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person wants to be so.

    Attributes:
        already: says that it is so already, by the talk and the corrections that hold; empty where it is not.
        changed: says what is different from now on.
    """

    what: Literal["withdrawn", "restored", "redated"]
    reason: str
    author: str
    already: Callable[[Known, Standing], str]
    changed: Callable[[Known], str]
    published_at: datetime | None = None

    def of(self, talk: Known, now: datetime) -> VideoCorrected:
        """Return the correction of one talk."""
        from streams.events import VideoCorrected

        return VideoCorrected(
            video_id=talk["video_id"],
            what=self.what,
            published_at=self.published_at,
            reason=self.reason,
            author=self.author,
            corrected_at=now,
        )


def correct(video_ids: Sequence[str], wish: Wish, *, as_json: bool) -> None:
    """Correct talks, and say what changed: all of them are known, or none is corrected.

    What was kept earlier and never arrived is brought along.
    """
    from agents.cli.running import ask, delivering
    from agents.registry import utc_now
    from streams.blobs import Blobs
    from streams.corrections import Corrections, standing

    settings = load_settings()
    talks = [known(settings, video_id) for video_id in dict.fromkeys(video_ids)]
    log = Corrections(Blobs(settings.blobs_url))
    kept = log.events()
    arrived = {row["correction_id"] for row in ask(settings, "corrections")}
    lost = [event for event in kept if event.event_id not in arrived]
    new: list[VideoCorrected] = []
    said: list[str] = []
    for talk in talks:
        already = wish.already(talk, standing(kept, talk["video_id"]))
        said.append(already or wish.changed(talk))
        if not already:
            new.append(wish.of(talk, utc_now()))
    if lost or new:
        with delivering(settings) as deliver:
            for event in new:
                log.keep(event)
            deliver([*lost, *new])
    for line in said:
        tell(line)
    if as_json:
        print_json([{"correction_id": event.event_id} | event.model_dump() for event in new])


def known(settings: Settings, video_id: str) -> dict[str, Any]:
    """Return what is known about a talk."""
    from agents.cli.running import ask

    found: dict[str, Any] | None = ask(settings, "talk", video_id=video_id)
    if found is None:
        cure = "see groundswell videos list"
        raise typer.BadParameter(f"there is no talk {video_id!r}: {cure}", param_hint="ID")
    return found


def moment_of(text: str, now: datetime) -> datetime:
    """Return a date of publication (UTC)."""
    moment = None
    for form in FORMATS:
        try:
            moment = datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    if moment is None:
        wrong = f"{text!r} is not a date: write it as 2025-03-31 or 2025-03-31T18:00 (UTC)"
    elif moment > now:
        wrong = f"{text} is in the future: a talk counts once it was published"
    elif moment.year < 1970:
        wrong = f"{text} is before 1970: write the year in which the talk was published"
    else:
        return moment
    raise typer.BadParameter(wrong, param_hint="DATE")


def reason_of(text: str) -> str:
    """Return a reason that says something."""
    if not text.strip():
        raise typer.BadParameter("say why: whoever sees the numbers change will ask", param_hint="--reason")
    return text.strip()
