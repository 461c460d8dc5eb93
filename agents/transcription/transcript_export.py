"""Export of transcripts as subtitles, text, or JSON, for the command line and the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from pydantic import ValidationError

from models.transcripts import subtitles
from models.transcripts.transcript import Transcript
from streams.errors import DataError
from streams.state.blobs import Blobs
from streams.store.rows.talks import Transcript as TalkTranscript
from streams.talks.transcripts import key_of

Format = Literal["txt", "vtt", "srt", "json"]
MEDIA: Mapping[Format, str] = {
    "txt": "text/plain; charset=utf-8",
    "vtt": "text/vtt; charset=utf-8",
    "srt": "application/x-subrip; charset=utf-8",
    "json": "application/json",
}
"""Media type of each format."""
_WRITERS: Mapping[Format, Callable[[Transcript], str]] = {"vtt": subtitles.webvtt, "srt": subtitles.subrip}


def counting(transcripts: Sequence[TalkTranscript]) -> str | None:
    """Return the version of a talk's transcript that counts, or of its only transcript; None: there is none.

    Example:
        >>> draft = {"transcript_version": "draft-captions-1", "counts": False}
        >>> counting([draft, {"transcript_version": "whisper", "counts": True}])
        'whisper'
    """
    found = [row["transcript_version"] for row in transcripts if row["counts"] or len(transcripts) == 1]
    return found[0] if found else None


def artefact(blobs: Blobs, video_id: str, version: str) -> bytes:
    """Return a transcript as the study stores it (JSON).

    Raises:
        DataError: it is not in the blob store.
    """
    try:
        return blobs.get(key_of(video_id, version))
    except DataError as error:
        raise DataError(
            f"{error.cause}: this study has only the metadata of the transcript",
            "an imported study has no transcripts: get it from the original study; or else restore the blob",
        ) from error


def rendered(
    content: bytes, wanted: Format, *, times: bool = False, names: Mapping[str, str] | None = None
) -> bytes:
    """Return a transcript in a format.

    Args:
        content: the stored transcript; for JSON it is returned unchanged.
        wanted: the format.
        times: whether plain text states the time at which each paragraph begins.
        names: the names of speakers, by label.

    Raises:
        DataError: the content is damaged.
    """
    if wanted == "json":
        return content
    said = parsed(content)
    if names:
        segments = [
            segment.model_copy(update={"speaker": names.get(segment.speaker or "", segment.speaker)})
            for segment in said.segments
        ]
        said = said.model_copy(update={"segments": tuple(segments)})
    writer = _WRITERS.get(wanted)
    return (writer(said) if writer else subtitles.plain_text(said, times=times)).encode()


def parsed(content: bytes) -> Transcript:
    """Return a transcript from its JSON.

    Raises:
        DataError: the JSON is damaged.
    """
    try:
        return Transcript.model_validate_json(content)
    except ValidationError as error:
        raise DataError(
            f"the transcript is damaged ({error.error_count()} errors, first: {error.errors()[0]['msg']})",
            "restore it from a backup, or ingest the talk again",
        ) from error
