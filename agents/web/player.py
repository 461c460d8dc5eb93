"""Choice of a player for a talk: YouTube's embedded frame, or the browser's own for a media file."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple
from urllib.parse import parse_qs, urlsplit

from agents.queries.media_links import YOUTUBE

EMBED = "https://www.youtube-nocookie.com/embed/"
AUDIO = (".mp3", ".m4a", ".ogg", ".oga", ".opus", ".wav", ".flac")
VIDEO = (".mp4", ".webm", ".m4v", ".ogv")
_ID = re.compile(r"[A-Za-z0-9_-]{11}")


class Player(NamedTuple):
    """A player and the address that it plays."""

    kind: Literal["youtube", "audio", "video"]
    address: str


def player(url: str) -> Player | None:
    """Return the player for a talk's address, or None if the page cannot embed it (plain http media cannot).

    Example:
        >>> player("https://youtu.be/dQw4w9WgXcQ?t=3").address
        'https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ'
        >>> player("https://example.org/talk.mp4").kind
        'video'
        >>> player("javascript:alert(1)//talk.mp4"), player("https://www.youtube.com/@channel")
        (None, None)
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not host:
        return None
    if host in YOUTUBE:
        named = parse_qs(parts.query).get("v", [""])[0] or parts.path.rstrip("/").rsplit("/", 1)[-1]
        return Player("youtube", EMBED + named) if _ID.fullmatch(named) else None
    if parts.scheme == "https" and parts.path.lower().endswith(AUDIO):
        return Player("audio", url)
    if parts.scheme == "https" and parts.path.lower().endswith(VIDEO):
        return Player("video", url)
    return None
