"""Parser of YouTube locators: channels, playlists, searches and single videos, and nothing else."""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import parse_qs, quote, unquote, urlsplit

from streams.errors import DataError
from streams.events import Source

YouTubeKind = Literal["channel", "playlist", "search"]

HOME = "https://www.youtube.com"

HOSTS = ("youtube.com", "www.youtube.com", "m.youtube.com", "music.youtube.com", "youtu.be")
_CHANNEL_ID = re.compile(r"UC[\w-]{22}")
_HANDLE = re.compile(r"@[\w.·-]{3,30}")
_PLAYLIST_ID = re.compile(r"(PL|UU|FL|OLAK5uy_)[\w-]{10,}")
_ADDRESS = re.compile(
    r"[a-z][a-z0-9+.-]*://|file:|(www\.|m\.|music\.)?youtube\.com/|youtu\.be/", re.IGNORECASE
)


def parse_locator(text: str) -> tuple[YouTubeKind, str]:
    """Return the kind and the locator of a source that a person typed: address, handle, id or query.

    Example:
        >>> parse_locator("https://www.youtube.com/@MLOps/videos")
        ('channel', '@MLOps')
        >>> parse_locator("LLM in production")
        ('search', 'LLM in production')

    Raises:
        DataError: it is an address, but not of a channel, playlist or search of YouTube.
    """
    text = " ".join(text.split())
    if not text:
        raise DataError("the source is empty", "give a channel, a playlist or a search query")
    if _ADDRESS.match(text):
        return _parse_address(text)
    if _CHANNEL_ID.fullmatch(text) or _HANDLE.fullmatch(text):
        return "channel", text
    if _PLAYLIST_ID.fullmatch(text):
        return "playlist", text
    return "search", text


def _parse_address(text: str) -> tuple[YouTubeKind, str]:
    try:
        url = urlsplit(text if "://" in text or text.lower().startswith("file:") else f"https://{text}")
    except ValueError:
        url = urlsplit("")
    host = url.netloc.lower()
    if url.scheme not in ("http", "https") or host not in HOSTS:
        raise DataError(
            f"{text} is not a YouTube address", "give a channel, playlist or search of www.youtube.com"
        )
    query = parse_qs(url.query)
    steps = [step for step in unquote(url.path).split("/") if step]
    match steps:
        case _ if _PLAYLIST_ID.fullmatch(query.get("list", [""])[0]):
            return "playlist", query["list"][0]
        case ["results" | "search"] if "search_query" in query:
            return "search", query["search_query"][0]
        case ["feeds", "videos.xml"] if _CHANNEL_ID.fullmatch(query.get("channel_id", [""])[0]):
            return "channel", query["channel_id"][0]
        case ["feeds", "videos.xml"] if _PLAYLIST_ID.fullmatch(query.get("playlist_id", [""])[0]):
            return "playlist", query["playlist_id"][0]
        case ["channel", channel_id, *_] if _CHANNEL_ID.fullmatch(channel_id):
            return "channel", channel_id
        case [handle, *_] if _HANDLE.fullmatch(handle):
            return "channel", handle
        case ["c" | "user" as prefix, name, *_]:
            return "channel", f"{HOME}/{prefix}/{quote(name)}"
    if host == "youtu.be" or steps[:1] in (["watch"], ["shorts"], ["live"], ["embed"]):
        raise DataError(
            f"{text} is a single video, not a source", f'hand it in with "groundswell ingest {text}"'
        )
    raise DataError(
        f"{text} is not a channel, playlist or search", "give the address of one, or a channel's @handle"
    )


def addresses(source: Source, limit: int | None) -> list[str]:
    """Return the addresses that yt-dlp opens for a source; they are always built here, never copied.

    Raises:
        DataError: the locator does not match the source's kind, or is not one of YouTube.
    """
    is_query = source.kind == "search" and not _ADDRESS.match(source.locator)
    kind, locator = ("search", source.locator) if is_query else parse_locator(source.locator)
    if kind != source.kind:
        raise DataError(
            f"{source.locator} is a {kind}, not a {source.kind} of YouTube", f"add it again as a {kind}"
        )
    if kind == "search":
        return [f"ytsearch{'all' if limit is None else limit}:{locator}"]
    if kind == "playlist":
        return [f"{HOME}/playlist?list={locator}"]
    home = locator if locator.startswith(HOME) else f"{HOME}/{_channel_path(locator)}"
    return [f"{home}/videos", f"{home}/streams"]


def _channel_path(locator: str) -> str:
    return f"@{quote(locator[1:])}" if locator.startswith("@") else f"channel/{locator}"


def parse_video(text: str) -> str:
    """Return the id of the single video at an address.

    Example:
        >>> parse_video("https://youtu.be/dQw4w9WgXcQ?t=5")
        'dQw4w9WgXcQ'

    Raises:
        DataError: it is not the address of a YouTube video.
    """
    try:
        url = urlsplit(text)
    except ValueError:  # "http://["
        url = urlsplit("")
    steps = [step for step in unquote(url.path).split("/") if step]
    named = ""
    if url.scheme in ("http", "https") and url.netloc.lower() in HOSTS:
        if url.netloc.lower() == "youtu.be":
            named = steps[0] if steps else ""
        elif steps == ["watch"]:
            named = parse_qs(url.query).get("v", [""])[0]
        elif len(steps) == 2 and steps[0] in ("shorts", "live", "embed"):
            named = steps[1]
    if not re.fullmatch(r"[\w-]{11}", named):
        raise DataError(
            f"{text[:300]} is not the address of a YouTube video",
            'give https://www.youtube.com/watch?v=…; add channels and playlists with "groundswell sources '
            'add"',
        )
    return named
