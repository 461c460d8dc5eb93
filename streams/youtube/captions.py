"""Captions of a YouTube video: the human-written track in a wanted language, and its file."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from streams.youtube.errors import RefusalVerdict, explained

FORMATS = ("vtt", "json3")
"""Accepted formats, best first: WebVTT states its language and the speakers."""
LIMIT = 20 * 10**6
"""Maximum size of a caption file (bytes); ten hours take about 2 MB."""


class CaptionFile(NamedTuple):
    """The unchanged file of a track; `language` is YouTube's code (`en-GB`), `suffix` such as `.vtt`."""

    language: str
    suffix: str
    content: bytes


class CaptionTrack(NamedTuple):
    """A caption track; `file` is yt-dlp's entry with the address of its file."""

    language: str
    file: Mapping[str, Any]


def written(info: Mapping[str, Any], languages: Sequence[str]) -> CaptionTrack | None:
    """Return the human-written track in the first of these languages (ISO 639-1) that has one.

    `en` itself is preferred to `en-GB`, and to a second track of the language, which has another name.
    YouTube's automatic captions and translations are excluded.

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
    """Download the file of a track in a yt-dlp session.

    Raises:
        YouTubeRefused: the file is larger than `LIMIT`.
        YoutubeDLError, OSError: from yt-dlp, also for an empty answer, which YouTube sometimes sends.
    """
    with tempfile.TemporaryDirectory(prefix="groundswell-captions-") as folder:
        path = Path(folder) / "captions"
        ydl.dl(str(path), dict(track.file), subtitle=True)
        if (size := path.stat().st_size) > LIMIT:
            raise explained(RefusalVerdict("unsupported", f"the file has {size:,} bytes"), what)
        return CaptionFile(track.language, f".{track.file['ext']}", path.read_bytes())
