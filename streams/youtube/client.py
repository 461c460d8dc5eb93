"""YouTube client on top of yt-dlp: listings of sources, metadata, audio and captions of videos."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from streams.errors import DataError
from streams.events import Source, Video
from streams.timestamps import from_unix, known_moment
from streams.youtube.captions import CaptionFile, download, written
from streams.youtube.errors import NONE_LISTED, PAID, RefusalVerdict, explained, hidden_in, refusal_in
from streams.youtube.locators import HOME, addresses, parse_locator
from streams.youtube.request_budget import Governor
from streams.youtube.session import YouTubeSessions

__all__ = ["Found", "YouTube", "parse_locator"]

DESCRIPTION_LIMIT = 5_000
"""Number of characters of a description that are kept: YouTube's own limit."""

LIVE = ("is_upcoming", "is_live", "post_live")
"""Live states in which there is no full recording yet."""

_VIDEO_ID = re.compile(r"[\w-]{11}")


class Found(NamedTuple):
    """A video that a source lists; `rank` is its place in the listing, from 1."""

    video: Video
    rank: int


class YouTube:
    """Reads public pages of YouTube through yt-dlp, and no other site.

    Every call opens its own session and blocks: use a thread. Errors are `YouTubeRefused` (a `DataError`:
    this video or source cannot be read as it is) or `RefusedForNow` (an `Unavailable`: try again later),
    each with its verdict and its cure; or `Paused`, without a request, while requests are paused.

    Args:
        proxy: `http://host:port`; empty: from the environment.
        insecure_tls: accept any certificate (tests only).
        cache_dir: folder of yt-dlp's cache about YouTube's player; None: no cache.
        governor: limits requests to YouTube; None: no limit.
        cookies: a cookie file to sign in with, which is never written; empty: as a guest.
        captions_governor: limits requests for caption files; a refusal of those stops only them.

    Raises:
        Misconfigured: the cookie file is unusable.
    """

    def __init__(
        self,
        proxy: str = "",
        insecure_tls: bool = False,
        cache_dir: Path | None = None,
        governor: Governor | None = None,
        cookies: str = "",
        *,
        captions_governor: Governor | None = None,
    ) -> None:
        self._sessions = YouTubeSessions(proxy, insecure_tls, cache_dir, cookies, governor)
        self._captions_governor = captions_governor
        self._caption_files = YouTubeSessions(proxy, insecure_tls, cache_dir, cookies, captions_governor)

    def listing(self, source: Source, limit: int | None) -> Iterator[Found]:
        """Return an iterator over the videos of a source, which requests each page only when it is needed.

        Each page waits for its turn, so a long listing may break off with `Paused` between two pages.
        A channel's uploads and streams alternate, each newest first; a tab that it lacks is skipped.
        The videos have an id, a title and an address, and often a duration and a channel, but rarely a
        publication date. A playlist whose page counts videos but shows no readable one is an error.

        Raises:
            DataError: immediately and without a request, if the locator is not one of YouTube.
        """
        pages = [self._entries(address, source) for address in addresses(source, limit)]
        entries = _distinct(itertools.chain.from_iterable(itertools.zip_longest(*pages)))
        return (Found(_video(entry), rank) for rank, entry in enumerate(itertools.islice(entries, limit), 1))

    def metadata(self, video_id: str) -> Video:
        """Return YouTube's metadata of a video.

        `published_at` is None only if YouTube does not state it; `language` is that of the original
        audio, if stated (ISO 639-1); `live_status` is one of yt-dlp's. An upcoming video has `begins_at`.
        Upcoming, live and just ended videos are not errors.
        """
        with self._sessions.open(f"video {video_id}", ignore_no_formats_error=True) as session:
            info = _extract_video(session.ydl, video_id)
            refusal = None if _playable(info) else refusal_in(session.warnings.lines)
            if refusal and not (refusal.kind == "wait" and info.get("live_status") in LIVE):
                raise explained(refusal, f"video {video_id}")
            video = _video(info)
            if video.published_at is None and (lost := _lost_page(session.warnings.lines)):
                raise explained(lost, f"the publication date of video {video_id}")
        return video

    def download_audio(
        self, video_id: str, folder: Path, on_progress: Callable[[float], None] | None = None
    ) -> Path:
        """Download a video's best audio without conversion, and return its file in `folder`.

        An interrupted transfer leaves a `.part` there, which the next call (of any process) resumes; the
        final name appears only when the file is complete. Only one caller per video at a time.

        Args:
            video_id: the video.
            folder: created if missing.
            on_progress: called with the share received, 0 to 1; an exception from it ends the transfer.
        """

        def tell(status: dict[str, Any]) -> None:
            total = status.get("total_bytes") or status.get("total_bytes_estimate")
            if on_progress and total:
                on_progress(min(status.get("downloaded_bytes", total) / total, 1.0))

        options: dict[str, Any] = {
            "format": "bestaudio[ext=m4a]/bestaudio/best",
            "paths": {"home": str(folder)},
            # The format is part of the name, so that a .part is never resumed in another format.
            "outtmpl": {"default": "%(id)s.%(format_id)s.%(ext)s"},
            "progress_hooks": [tell],
        }
        with self._sessions.open(f"the audio of video {video_id}", **options) as session:
            info = _extract_video(session.ydl, video_id)
            if info.get("live_status") in LIVE:
                verdict = RefusalVerdict("wait", "it is a live stream whose recording is not complete")
                raise explained(verdict, f"the audio of video {video_id}")
            session.answered()
            stored = session.ydl.process_ie_result(info, download=True)
        path = next((part.get("filepath") for part in stored.get("requested_downloads") or ()), None)
        if path is None or not Path(path).is_file():
            raise DataError(
                f"yt-dlp ended without an error but left no audio of video {video_id}",
                "replay; if it happens again, upgrade yt-dlp and its parts",
            )
        return Path(path)

    def captions(self, video_id: str, languages: Sequence[str]) -> CaptionFile | None:
        """Download human-written captions in the first of these languages (ISO 639-1) that has them.

        The video's page takes one turn of the governor, the file one of the captions governor. None: the
        video has no such captions, and nothing suggests that YouTube only withheld them. While requests for
        caption files are paused, the page is not requested either.
        """
        if self._captions_governor is not None:
            self._captions_governor.raise_if_paused()
        what = f"the captions of video {video_id}"
        with self._sessions.open(what, ignore_no_formats_error=True) as session:
            info = _extract_video(session.ydl, video_id)
            refusal = None if _playable(info) else refusal_in(session.warnings.lines)
            if refusal is None and info.get("live_status") in LIVE:
                refusal = RefusalVerdict("wait", "it is a live stream whose recording is not complete")
            track = written(info, languages)
            lost = _lost(session.warnings.lines)
            if refusal is None and lost is not None and (track is None or lost.scope == "session"):
                refusal = lost  # it may have captions nevertheless, or YouTube refuses further requests
            if refusal is not None:
                raise explained(refusal, what)
        if track is None:
            return None
        with self._caption_files.open(what) as session:
            return download(session.ydl, track, what)

    def _entries(self, address: str, source: Source) -> Iterator[dict[str, Any]]:
        """Yield the videos of a listing as yt-dlp's flat entries."""
        what = f"{source.kind} {source.locator}"
        with self._sessions.open(what, paged=True, **_COMPLETE) as session:
            page = session.ydl.extract_info(address, process=False)
            if page.get("ie_key") == "YoutubeTab":  # a channel that has another name in this region
                page = session.ydl.extract_info(page["url"], process=False)
            # Only in a channel's listing do all entries belong to the channel, and only its page names it.
            known = ("channel", "channel_id") if source.kind == "channel" else ()
            owner = {key: page[key] for key in known if page.get(key)}
            empty = True
            for entry in page.get("entries") or ():
                empty = False
                session.answered()
                if entry.get("ie_key") == "Youtube":
                    yield owner | {key: value for key, value in entry.items() if value is not None}
            if empty and page.get("playlist_count"):
                reason = f"{NONE_LISTED}, though its page counts {page['playlist_count']}"
                raise explained(RefusalVerdict("unsupported", reason, "source"), what)


_COMPLETE = {"extractor_args": {"youtube": {"raise_incomplete_data": ["true"]}}}
"""Option for listings: without it, a listing whose next page arrives empty ends silently."""


def _distinct(entries: Iterable[dict[str, Any] | None]) -> Iterator[dict[str, Any]]:
    seen: set[str] = set()
    for entry in entries:
        if entry and entry["id"] not in seen:
            seen.add(entry["id"])
            yield entry


def _extract_video(ydl: Any, video_id: str) -> dict[str, Any]:
    if not _VIDEO_ID.fullmatch(video_id):
        raise DataError(
            f"{video_id!r} is not the id of a YouTube video", "drop it; a valid id has 11 characters"
        )
    info: dict[str, Any] = ydl.extract_info(f"{HOME}/watch?v={video_id}", process=False)
    if info.get("id") != video_id or info.get("_type", "video") != "video":
        verdict = RefusalVerdict("auth", f"{PAID} (YouTube shows another video, such as a film's trailer)")
        raise explained(verdict, f"video {video_id}")
    return info


def _playable(info: dict[str, Any]) -> bool:
    """Return whether there is audio or video to fetch; a storyboard has only pictures."""
    kinds = ((track.get("acodec"), track.get("vcodec")) for track in info.get("formats") or ())
    return any(kind != ("none", "none") for kind in kinds)


def _lost_page(warnings: Sequence[str]) -> RefusalVerdict | None:
    """Return why a video's page, the only place with its date, did not arrive; None: it did."""
    hidden = hidden_in(warnings)
    if any("Unable to download" in line for line in warnings):
        return hidden or RefusalVerdict("transient", "its page did not arrive")
    return hidden if hidden is not None and hidden.kind in ("throttled", "blocked") else None


def _lost(warnings: Sequence[str]) -> RefusalVerdict | None:
    """Return why a part of a video's data may be missing; a local problem does not hide captions."""
    hidden = hidden_in(warnings)
    return None if hidden is not None and hidden.kind == "local" else hidden


def _video(info: dict[str, Any]) -> Video:
    return Video(
        video_id=info["id"],
        title=info.get("title") or "",
        description=(info.get("description") or "")[:DESCRIPTION_LIMIT],
        channel=info.get("channel") or "",
        channel_id=info.get("channel_id") or "",
        url=_address(info),
        published_at=_published_at(info),
        duration_s=info.get("duration"),
        language=_language(info),
        live_status=info.get("live_status"),
        begins_at=_begins_at(info),
        short_form=info.get("media_type") == "short" or "/shorts/" in (info.get("url") or ""),
    )


def _address(info: dict[str, Any]) -> str:
    """Return a video's web address; older versions of yt-dlp state only the id of a listed video."""
    given = (info.get("url") or "", info.get("webpage_url") or "")
    made = f"{HOME}/watch?v={info['id']}"
    return next((each for each in given if each.startswith("https://")), made)


def _begins_at(info: dict[str, Any]) -> datetime | None:
    """Return the scheduled start of an upcoming video; for others, the same field is the past start."""
    if info.get("live_status") != "is_upcoming" or info.get("release_timestamp") is None:
        return None
    return from_unix(info["release_timestamp"])


def _published_at(info: dict[str, Any]) -> datetime | None:
    if info.get("timestamp") is not None:
        return from_unix(info["timestamp"])
    if info.get("upload_date"):
        return known_moment(datetime.strptime(info["upload_date"], "%Y%m%d").replace(tzinfo=UTC))
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
