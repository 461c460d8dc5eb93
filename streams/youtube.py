"""YouTube: what a source lists, what a video is, and its audio. The one module that runs yt-dlp."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from streams.errors import DataError
from streams.events import Source, Video
from streams.youtube_errors import Verdict, classify, explained, hidden_in
from streams.youtube_locators import HOME, addresses, parse_locator

__all__ = ["Found", "YouTube", "parse_locator"]

DESCRIPTION_LIMIT = 5_000
"""Characters of a description that are kept: YouTube's own limit."""

_VIDEO_ID = re.compile(r"[\w-]{11}")


class Found(NamedTuple):
    """A video that a source lists; `rank` is its place in the listing, from 1."""

    video: Video
    rank: int


class YouTube:
    """Reads public pages of YouTube through yt-dlp, and no other site.

    Every call is its own session and blocks: call it from a thread. Errors are `DataError` (this video
    or source cannot be read as it is) or `Unavailable` (try again later), each with its cure.

    Args:
        proxy: `http://host:port`; empty: what the environment says.
        insecure_tls: accept any certificate (tests only).
        cache_dir: where yt-dlp keeps what it learned about YouTube's player; None: nowhere.
    """

    def __init__(self, proxy: str = "", insecure_tls: bool = False, cache_dir: Path | None = None) -> None:
        self._network = {
            "nocheckcertificate": insecure_tls,
            "cachedir": str(cache_dir) if cache_dir else False,
        }
        if proxy:
            self._network["proxy"] = proxy

    def listing(self, source: Source, limit: int | None) -> Iterator[Found]:
        """Return what a source lists, one page per request: stop early and the rest is never asked for.

        A channel's uploads and streams come in turn, each newest first; a tab it lacks is skipped.
        The videos have an id, a title and an address, often a duration and a channel; their
        publication date only in the rare case that the listing states it.

        Raises:
            DataError: at once and without any request, if the locator is not one of YouTube.
        """
        pages = [self._entries(address, source) for address in addresses(source, limit)]
        entries = _distinct(itertools.chain.from_iterable(itertools.zip_longest(*pages)))
        return (Found(_video(entry), rank) for rank, entry in enumerate(itertools.islice(entries, limit), 1))

    def metadata(self, video_id: str) -> Video:
        """Return all that YouTube says about a video.

        `published_at` is None only if YouTube does not state it; `language` is that of the original
        audio, if stated (ISO 639-1); `live_status` is one of yt-dlp's.
        """
        with self._session(f"video {video_id}") as (ydl, warnings):
            info = _extract_video(ydl, video_id)
        video = _video(info)
        if video.published_at is None and any("Unable to download" in line for line in warnings.lines):
            verdict = hidden_in(warnings.lines) or Verdict("transient", "its page did not arrive")
            raise explained(verdict, f"the publication date of video {video_id}")
        return video

    def download_audio(
        self, video_id: str, folder: Path, on_progress: Callable[[float], None] | None = None
    ) -> Path:
        """Fetch a video's best audio as it is, and return its file in `folder`.

        A transfer that breaks off leaves a `.part` there, which the next call (of any process)
        continues; the final name appears only when all bytes are there. One caller per video at a time.

        Args:
            video_id: the video.
            folder: created if missing.
            on_progress: told the share that has arrived, 0 to 1; what it raises ends the transfer.
        """

        def tell(status: dict[str, Any]) -> None:
            total = status.get("total_bytes") or status.get("total_bytes_estimate")
            if on_progress and total:
                on_progress(min(status.get("downloaded_bytes", total) / total, 1.0))

        options = {
            "format": "bestaudio[ext=m4a]/bestaudio/best",
            "paths": {"home": str(folder)},
            # The format is part of the name, so that a .part is never continued in another format.
            "outtmpl": {"default": "%(id)s.%(format_id)s.%(ext)s"},
            "progress_hooks": [tell],
        }
        with self._session(f"the audio of video {video_id}", **options) as (ydl, _):
            info = _extract_video(ydl, video_id)
            if info.get("live_status") in ("is_live", "is_upcoming", "post_live"):
                verdict = Verdict("wait", "it is a live stream whose recording is not complete")
                raise explained(verdict, f"the audio of video {video_id}")
            stored = ydl.process_ie_result(info, download=True)
        path = next((part.get("filepath") for part in stored.get("requested_downloads") or ()), None)
        if path is None or not Path(path).is_file():
            raise DataError(
                f"yt-dlp ended without an error but left no audio of video {video_id}",
                "replay; if it happens again, upgrade yt-dlp and its parts",
            )
        return Path(path)

    def _entries(self, address: str, source: Source) -> Iterator[dict[str, Any]]:
        """Yield a page's videos as yt-dlp's flat entries."""
        with self._session(f"{source.kind} {source.locator}", **_COMPLETE) as (ydl, _):
            page = ydl.extract_info(address, process=False)
            if page.get("ie_key") == "YoutubeTab":  # a channel that is called otherwise in this region
                page = ydl.extract_info(page["url"], process=False)
            # Only a channel's entries are all its own, and only its page names it.
            known = ("channel", "channel_id") if source.kind == "channel" else ()
            owner = {key: page[key] for key in known if page.get(key)}
            for entry in page.get("entries") or ():
                if entry.get("ie_key") == "Youtube":
                    yield owner | {key: value for key, value in entry.items() if value is not None}

    @contextmanager
    def _session(self, what: str, **options: Any) -> Iterator[tuple[Any, _Warnings]]:
        """Lend a yt-dlp session; what it raises is explained. A missing tab ends the block quietly."""
        from yt_dlp import YoutubeDL
        from yt_dlp.utils import YoutubeDLError

        warnings = _Warnings()
        try:
            with YoutubeDL(_OPTIONS | self._network | {"logger": warnings} | options) as ydl:
                yield ydl, warnings
        except (YoutubeDLError, OSError) as error:
            verdict = classify(error, warnings.lines)
            if verdict.kind != "no tab":
                raise explained(verdict, what) from error


_OPTIONS = {
    # By name, so that no address can reach the generic extractor and with it the internal network.
    "allowed_extractors": ["youtube", "youtube:tab", "youtube:playlist", "youtube:search"],
    "quiet": True,
    "noprogress": True,
    "color": "no_color",
    "noplaylist": True,
    "compat_opts": {"no-youtube-unavailable-videos"},  # asking for private entries costs a request
    "extractor_retries": 1,
    "retries": 2,
    "fragment_retries": 2,
    "socket_timeout": 30,
    "fixup": "never",
    "updatetime": False,
}

_COMPLETE = {"extractor_args": {"youtube": {"raise_incomplete_data": ["true"]}}}
"""For listings: without it one whose next page arrives empty just ends."""


class _Warnings:
    """yt-dlp's logger: keeps warnings, drops the rest."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def debug(self, _message: str) -> None:
        """Drop it."""

    def error(self, _message: str) -> None:
        """Drop it: the same text is raised."""

    def warning(self, message: str) -> None:
        """Keep it."""
        self.lines.append(str(message))


def _distinct(entries: Iterable[dict[str, Any] | None]) -> Iterator[dict[str, Any]]:
    seen: set[str] = set()
    for entry in entries:
        if entry and entry["id"] not in seen:
            seen.add(entry["id"])
            yield entry


def _extract_video(ydl: Any, video_id: str) -> dict[str, Any]:
    if not _VIDEO_ID.fullmatch(video_id):
        raise DataError(
            f"{video_id!r} is not the id of a YouTube video", "drop it; such an id has 11 characters"
        )
    info: dict[str, Any] = ydl.extract_info(f"{HOME}/watch?v={video_id}", process=False)
    if info.get("id") != video_id or info.get("_type", "video") != "video":
        verdict = Verdict(
            "auth", "YouTube shows another video in its place, such as the trailer of a film on sale"
        )
        raise explained(verdict, f"video {video_id}")
    return info


def _video(info: dict[str, Any]) -> Video:
    return Video(
        video_id=info["id"],
        title=info.get("title") or "",
        description=(info.get("description") or "")[:DESCRIPTION_LIMIT],
        channel=info.get("channel") or "",
        channel_id=info.get("channel_id") or "",
        url=info.get("url") or info.get("webpage_url") or f"{HOME}/watch?v={info['id']}",
        published_at=_published_at(info),
        duration_s=info.get("duration"),
        language=_language(info),
        live_status=info.get("live_status"),
    )


def _published_at(info: dict[str, Any]) -> datetime | None:
    if info.get("timestamp") is not None:
        return datetime.fromtimestamp(info["timestamp"], UTC)
    if info.get("upload_date"):
        return datetime.strptime(info["upload_date"], "%Y%m%d").replace(tzinfo=UTC)
    return None


def _language(info: dict[str, Any]) -> str | None:
    """Return the language of the original audio; dubbed tracks have a negative preference."""
    tracks = [
        (track.get("language_preference") or 0, track["language"])
        for track in info.get("formats") or ()
        if track.get("language") and track.get("acodec") != "none"
    ]
    preference, language = max(tracks, default=(-1, ""))
    return language.split("-")[0].lower() if preference >= 0 else None
