"""groundswell transcript: the transcript of a talk as text, subtitles or JSON."""

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
"""Number of newest talks whose ids are compared with an unknown id, to suggest a similar one."""


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(transcript)


def transcript(
    video_id: str = typer.Argument(metavar="ID", help="Id as shown by `videos list`."),
    *,
    file_format: Format | None = typer.Option(
        None,
        "--format",
        show_default=False,
        help="Text, WebVTT, SubRip, or the stored JSON, byte for byte (default: FILE's extension, or text).",
    ),
    out: Path | None = typer.Option(
        None, metavar="FILE", dir_okay=False, show_default=False, help="Write to this file instead of stdout."
    ),
    version: str = typer.Option(
        "",
        show_default=False,
        help="Version of the transcript, or its first characters (default: the one that counts).",
    ),
    times: bool = typer.Option(
        False, "--times", help="Include the start time of each paragraph (text only)."
    ),
    force: bool = typer.Option(False, "--force", help="Overwrite FILE."),
) -> None:
    """Print the transcript of a talk with its speakers, as text or subtitles."""
    from agents.transcription.speaker_names import names_in
    from agents.transcription.transcript_export import artefact, rendered
    from streams.state.blobs import Blobs

    wanted = file_format or _ending(out)
    if times and wanted != "txt":
        raise typer.BadParameter(
            "only the text format has times: leave --times out, or use --format txt", param_hint="--times"
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
    """Return the format of a file's extension, or text for any other extension."""
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
    """Return the full version of the transcript with this prefix, or the one that counts if it is empty.

    Raises:
        DataError: the talk has no transcript yet.
        typer.BadParameter: no transcript or several have this prefix, or none counts yet.
    """
    from agents.curation.video_corrections import named
    from agents.transcription.transcript_export import counting
    from streams.errors import DataError

    versions: dict[str, bool] = {row["transcript_version"]: row["counts"] for row in talk["transcripts"]}
    if not versions:
        state = talk["state"] or "not processed yet"
        raise DataError(
            f"{named(talk)} has no transcript: it is {state}{_screened(talk)}",
            "groundswell videos waiting, groundswell review queue and groundswell dead-letters list show the "
            "talks that are held up; the others are transcribed while groundswell run is running",
        )
    those = ", ".join(version + (" (counts)" if counts else "") for version, counts in versions.items())
    if wanted in versions:
        return wanted
    if wanted:
        found = [version for version in versions if version.startswith(wanted)]
        if len(found) != 1:
            said = f"{len(found)} versions begin" if found else "no version begins"
            raise typer.BadParameter(
                f"{said} with {wanted[:80]!r}: choose from {those}", param_hint="--version"
            )
        return found[0]
    made = counting(talk["transcripts"])
    if made is None:
        raise typer.BadParameter(f"none counts yet: choose one of {those}", param_hint="--version")
    return made


def _screened(talk: WholeTalk) -> str:
    """Return the reason of a rejection in brackets, or an empty text if the talk was not rejected."""
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
    return typer.BadParameter(f"{out} already exists: choose another file, or overwrite it with --force")
