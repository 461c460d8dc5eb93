"""groundswell transcript: what was said in a talk, as subtitles, as text, or as the study keeps it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import typer

from agents.cli.console import harmless, load_settings, tell

if TYPE_CHECKING:
    from streams.settings import Settings
    from streams.store.rows.talks import WholeTalk

Format = Literal["txt", "vtt", "srt", "json"]
TALKS = 1000
"""Among so many of the newest talks an id that was meant is looked for."""


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(transcript)


def transcript(
    video_id: str = typer.Argument(metavar="ID", help="Id as `videos list` shows it."),
    *,
    file_format: Format | None = typer.Option(
        None,
        "--format",
        show_default=False,
        help="Text, WebVTT, SubRip, or the study's own JSON, byte for byte; as FILE ends, else text.",
    ),
    out: Path | None = typer.Option(
        None, metavar="FILE", dir_okay=False, show_default=False, help="Write it here, not to stdout."
    ),
    version: str = typer.Option(
        "",
        show_default=False,
        help="A transcript's version, or how it begins; without it, the one that counts.",
    ),
    times: bool = typer.Option(False, "--times", help="Text with the moment at which each paragraph begins."),
    force: bool = typer.Option(False, "--force", help="Overwrite FILE."),
) -> None:
    """Print what was said in a talk and by whom: to read, or as subtitles."""
    from agents.transcription.speaker_names import names_in
    from agents.transcription.transcript_export import artefact, rendered
    from streams.state.blobs import Blobs

    wanted = file_format or _ending(out)
    if times and wanted != "txt":
        raise typer.BadParameter(
            "only text has them: leave --times out, or say --format txt", param_hint="--times"
        )
    if out is not None and out.exists() and not force:
        raise _there(out)
    settings = load_settings()
    talk = _known(settings, video_id)
    made = _version(talk, version)
    kept = artefact(Blobs(settings.blobs_url), talk["video_id"], made)
    content = rendered(kept, wanted, times=times, names=names_in(talk, made))
    if out is None:
        typer.echo(content, nl=False)
        return
    _write(out, content, force=force)
    tell(f"{talk['title'] or video_id}, transcript {made}: {out}")


def _ending(out: Path | None) -> Format:
    """Return the format that a file's name asks for; text where it says nothing."""
    ending = out.suffix.lower().removeprefix(".") if out is not None else ""
    return next((known for known in get_args(Format) if known == ending), "txt")


def _known(settings: Settings, video_id: str) -> WholeTalk:
    from difflib import get_close_matches

    from agents.cli.asking import ask
    from agents.curation.video_corrections import known
    from models.errors import BadInput

    try:
        return known(partial(ask, settings), video_id)
    except BadInput as error:
        ids = [row["video_id"] for row in ask(settings, "talks", limit=TALKS)]
        near = get_close_matches(video_id, ids, 1)
        meant = f" Did you mean {harmless(near[0])}?" if near else ""
        raise typer.BadParameter(f"{error}.{meant}", param_hint="ID") from error


def _version(talk: WholeTalk, wanted: str) -> str:
    """Return the version of the transcript that is meant.

    Raises:
        DataError: the talk has no transcript yet.
    """
    from agents.curation.video_corrections import named
    from agents.transcription.transcript_export import counting
    from streams.errors import DataError

    versions: dict[str, bool] = {row["transcript_version"]: row["counts"] for row in talk["transcripts"]}
    if not versions:
        state = talk["state"] or "not processed yet"
        raise DataError(
            f"{named(talk)} has no transcript: it is {state}{_screened(talk)}",
            "groundswell videos waiting, groundswell review queue and groundswell dead-letters list say what "
            "is held up; all else comes while groundswell run runs",
        )
    those = ", ".join(version + (" (counts)" if counts else "") for version, counts in versions.items())
    if wanted in versions:
        return wanted
    if wanted:
        found = [version for version in versions if version.startswith(wanted)]
        if len(found) != 1:
            said = f"{len(found)} transcripts begin" if found else "no transcript begins"
            raise typer.BadParameter(
                f"{said} with {wanted[:80]!r}: there are {those}", param_hint="--version"
            )
        return found[0]
    made = counting(talk["transcripts"])
    if made is None:
        raise typer.BadParameter(f"none counts yet: say which, of {those}", param_hint="--version")
    return made


def _screened(talk: WholeTalk) -> str:
    """Return why a talk was rejected, in brackets; empty where it was not."""
    screening = talk["screening"]
    if screening is None or screening["verdict"] != "rejected":
        return ""
    return f" ({': '.join(filter(None, (screening['rule'], screening['reason'])))})"


def _write(out: Path, content: bytes, *, force: bool) -> None:
    from streams.errors import DataError

    try:
        with out.open("wb" if force else "xb") as file:
            file.write(content)
    except FileExistsError as error:
        raise _there(out) from error
    except OSError as error:
        raise DataError(f"{out} cannot be written ({error.strerror})", "choose another file") from error


def _there(out: Path) -> typer.BadParameter:
    return typer.BadParameter(f"{out} is there already: choose another file, or overwrite it with --force")
