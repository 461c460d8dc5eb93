"""Captions of a video on YouTube: the track that people wrote in a wanted language, and its file."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from streams.youtube.errors import RefusalVerdict, explained

FORMATS = ("vtt", "json3")
"""What is taken, the best first: WebVTT states its language and who speaks."""
LIMIT = 20 * 10**6
"""Bytes of a caption file; ten hours are some 2 MB."""


class CaptionFile(NamedTuple):
    """The file of a track as it came; `language` as YouTube calls it (`en-GB`), `suffix` such as `.vtt`."""

    language: str
    suffix: str
    content: bytes


class CaptionTrack(NamedTuple):
    """The address of a track's file, as yt-dlp says it."""

    language: str
    file: Mapping[str, Any]


def written(info: Mapping[str, Any], languages: Sequence[str]) -> CaptionTrack | None:
    """Return the track that people wrote in the first of these languages (ISO 639-1) that has one.

    `en` itself goes before `en-GB` and before a second track of the language, which has a name of its own.
    What YouTube heard or translated by itself is no such track.

    Example:
        >>> said = {"subtitles": {"en-GB": [{"ext": "srv1"}, {"ext": "vtt", "url": "u"}], "de": []}}
        >>> written(said, ["de", "en"])
        CaptionTrack(language='en-GB', file={'ext': 'vtt', 'url': 'u'})
    """
    tracks: Mapping[str, Sequence[Mapping[str, Any]]] = info.get("subtitles") or {}
    for language in languages:
        exact = [name for name in tracks if name.lower() == language]
        regional = sorted(name for name in tracks if name.lower().startswith(f"{language}-"))
        for name in (*exact, *regional):
            files = {file.get("ext"): file for file in tracks[name]}
            found = next((files[form] for form in FORMATS if form in files), None)
            if found is not None:
                return CaptionTrack(name, found)
    return None


def download(ydl: Any, track: CaptionTrack, what: str) -> CaptionFile:
    """Fetch the file of a track in a session of yt-dlp, whole or not at all.

    Raises:
        YouTubeRefused: it is longer than captions are.
        YoutubeDLError, OSError: as yt-dlp says; also of an empty answer, which YouTube's sometimes is.
    """
    with tempfile.TemporaryDirectory(prefix="groundswell-captions-") as folder:
        path = Path(folder) / "captions"
        ydl.dl(str(path), dict(track.file), subtitle=True)
        if (size := path.stat().st_size) > LIMIT:
            raise explained(RefusalVerdict("unsupported", f"the file has {size:,} bytes"), what)
        return CaptionFile(track.language, f".{track.file['ext']}", path.read_bytes())
