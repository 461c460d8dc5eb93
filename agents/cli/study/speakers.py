"""groundswell videos speakers, name, unname: the speakers of a talk and their names."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING

import typer

from agents.cli.console import load_settings, print_json, say
from agents.cli.curation.author import AUTHOR
from agents.cli.curation.correcting import correcting, misused, print_corrections
from agents.cli.study.reading import JSON

if TYPE_CHECKING:
    from agents.transcription.speaker_candidates import Speakers

ID = typer.Argument(metavar="ID", help="Id as shown by `videos list`.")
SPEAKER = typer.Argument(metavar="SPEAKER", help="Label as shown by `videos speakers`, such as SPEAKER_00.")
NO_REASON = typer.Option("", "--reason", help="How you know; it is recorded with the name.")


def register(app: typer.Typer) -> None:
    """Add the commands to `groundswell videos`."""
    app.command("speakers")(show)
    app.command()(name)
    app.command()(unname)


def show(video_id: str = ID, as_json: bool = JSON) -> None:
    """Show the speakers of a talk, doubts about them, and names that they may have."""
    from agents.queries.media_links import at_second, clock

    found = _speakers(video_id)
    if as_json:
        print_json(
            {
                "video_id": found.talk["video_id"],
                "transcript_version": found.transcript_version,
                "speakers": [asdict(each) for each in found.speakers],
            }
        )
        return
    if not found.speakers:
        say("the transcript has no speakers")
    for each in found.speakers:
        minutes = f"{each.heard_s / 60:.1f} min, {each.words} words"
        say(f"{each.speaker}  {each.name or '(no name)'}  {minutes}{f'; {each.doubt}' if each.doubt else ''}")
        if not each.name and each.hear_s is not None:
            there = at_second(found.talk["url"], each.hear_s)
            say(f"    listen at {clock(each.hear_s)}{f': {there}' if there else ''}")
        for offer in each.offers:
            at = f" at {clock(offer.start)}" if offer.start is not None else ""
            say(f"    perhaps {offer.name}{at}: {offer.why}")
    if any(not each.name for each in found.speakers):
        say(f"to name a speaker: groundswell videos name {found.talk['video_id']} SPEAKER NAME")


def name(  # noqa: PLR0917 - options of a command
    video_id: str = ID,
    speaker: str = SPEAKER,
    name: str = typer.Argument(metavar="NAME", help="Name of the speaker."),
    reason: str = NO_REASON,
    author: str = AUTHOR,
    as_json: bool = JSON,
) -> None:
    """Name a speaker. Quotes, transcripts and numbers by speaker then show the name."""
    found, meant = _meant(video_id, speaker)
    with correcting(author) as corrector:
        print_corrections(
            corrector.name(found.talk, found.transcript_version, meant, name, reason), as_json=as_json
        )


def unname(
    video_id: str = ID,
    speaker: str = SPEAKER,
    reason: str = NO_REASON,
    author: str = AUTHOR,
    as_json: bool = JSON,
) -> None:
    """Remove a speaker's name."""
    found, meant = _meant(video_id, speaker)
    with correcting(author) as corrector:
        print_corrections(
            corrector.unname(found.talk, found.transcript_version, meant, reason), as_json=as_json
        )


def _meant(video_id: str, speaker: str) -> tuple[Speakers, str]:
    found = _speakers(video_id)
    with misused("SPEAKER"):
        return found, found.one(speaker).speaker


def _speakers(video_id: str) -> Speakers:
    from agents.cli.asking import ask
    from agents.transcription.speaker_candidates import speakers
    from streams.state.blobs import Blobs

    settings = load_settings()
    with misused("ID"):
        return speakers(Blobs(settings.blobs_url), partial(ask, settings), video_id)
