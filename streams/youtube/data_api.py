"""Client of the YouTube Data API, if there is a key: a channel's uploads with dates, for little quota.

A page of 50 videos costs two units of 10,000 per day. The key is sent in a header, so that no address, log
line or error contains it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import httpx

from streams.errors import DataError, Unavailable
from streams.events import Video
from streams.timestamps import from_iso
from streams.youtube.locators import HOME

BASE = "https://www.googleapis.com/youtube/v3"
PAGE = 50
MOST_BYTES = 8 * 1024 * 1024
TIMEOUT_S = 30.0
DESCRIPTION_LIMIT = 5_000
_LIVE = {"upcoming": "is_upcoming", "live": "is_live"}
_SPENT = ("quotaExceeded", "dailyLimitExceeded", "rateLimitExceeded", "userRateLimitExceeded")
_DURATION = re.compile(r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")


class QuotaSpent(Unavailable):
    """The key's quota of today is used up."""


class DataApi:
    """Client of one host with one key. Its calls block: use a thread.

    Args:
        key: the key of a project with the YouTube Data API v3.
        proxy: `http://host:port`; empty: none.
        base: base address of the API (tests only).
        insecure_tls: accept any certificate (tests only).
    """

    def __init__(self, key: str, proxy: str = "", *, base: str = BASE, insecure_tls: bool = False) -> None:
        self._base = base
        self._key = key
        self._client = httpx.Client(
            headers={"X-Goog-Api-Key": key, "Accept": "application/json"},
            proxy=proxy or None,
            verify=not insecure_tls,
            trust_env=False,
            follow_redirects=False,
            timeout=TIMEOUT_S,
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def uploads(self, locator: str, channel_id: str = "") -> Iterator[Video]:
        """Yield a channel's uploads, newest first; each page of 50 is requested only when it is needed.

        Private and deleted videos are left out. `published_at` is always stated; `live_status` is stated for
        a video that is upcoming, live or was live.

        Args:
            locator: the channel's id or @handle.
            channel_id: the channel's id, if it is known.

        Raises:
            QuotaSpent: the key's quota is used up.
            DataError: there is no such channel, or the key is refused.
            Unavailable: the API does not answer now.
        """
        playlist = "UU" + (channel_id or self._channel_id(locator)).removeprefix("UC")
        token = ""
        while True:
            asked = {"part": "contentDetails", "playlistId": playlist, "maxResults": str(PAGE)}
            page = self._get("playlistItems", asked | ({"pageToken": token} if token else {}))
            ids = [each.get("contentDetails", {}).get("videoId", "") for each in page.get("items", [])]
            yield from self._videos([video_id for video_id in ids if re.fullmatch(r"[\w-]{11}", video_id)])
            token = str(page.get("nextPageToken") or "")
            if not token:
                return

    def _channel_id(self, locator: str) -> str:
        if re.fullmatch(r"UC[\w-]{22}", locator):
            return locator
        named = {"forHandle": locator} if locator.startswith("@") else {}
        if m := re.fullmatch(rf"{re.escape(HOME)}/user/([^/]+)", locator):
            named = {"forUsername": m[1]}
        found = self._get("channels", {"part": "id", **named}).get("items", []) if named else []
        if not found:
            raise DataError(
                f"the YouTube Data API finds no channel {locator}", "give the channel's @handle or id"
            )
        return str(found[0]["id"])

    def _videos(self, ids: list[str]) -> Iterator[Video]:
        if not ids:
            return
        asked = {
            "part": "snippet,contentDetails,liveStreamingDetails",
            "id": ",".join(ids),
            "maxResults": str(PAGE),
        }
        found = {each.get("id"): each for each in self._get("videos", asked).get("items", [])}
        for video_id in ids:
            if (about := found.get(video_id)) is not None:
                yield _video(video_id, about)

    def _get(self, what: str, asked: Mapping[str, str]) -> dict[str, Any]:
        try:
            with self._client.stream("GET", f"{self._base}/{what}", params=asked) as response:
                body = bytearray()
                for piece in response.iter_bytes():
                    body += piece
                    if len(body) > MOST_BYTES:
                        raise DataError(
                            f"the YouTube Data API answered more than {MOST_BYTES:,} bytes", "report it"
                        )
                status = response.status_code
        except httpx.HTTPError as error:
            raise Unavailable(
                f"the YouTube Data API does not answer ({type(error).__name__})",
                "groundswell tries again by itself; meanwhile the channel is listed as without a key",
            ) from None
        try:
            said = json.loads(bytes(body))
        except ValueError:
            said = None
        if status == httpx.codes.OK and isinstance(said, dict):
            return said
        raise self._refusal(status, said)

    def _refusal(self, status: int, said: Any) -> DataError | Unavailable:
        error = said.get("error", {}) if isinstance(said, dict) else {}
        error = error if isinstance(error, dict) else {}
        reasons = [each.get("reason", "") for each in error.get("errors", []) if isinstance(each, dict)]
        message = re.sub(r"<[^>]+>", "", str(error.get("message", "")))[:200]
        words = f"HTTP {status}: {message.replace(self._key, '…') or 'no reason given'}"
        if status == 429 or any(reason in _SPENT for reason in reasons):
            return QuotaSpent(
                f"the quota of the YouTube Data API is used up ({words})",
                "it is renewed at midnight Pacific time; meanwhile channels are listed as without a key",
            )
        if status >= 500:
            return Unavailable(
                f"the YouTube Data API cannot answer ({words})", "groundswell tries again by itself"
            )
        if status == 404:
            return DataError(
                f"the YouTube Data API does not find the channel's uploads ({words})",
                "open the channel in a browser; correct or remove the source",
            )
        return DataError(
            f"the YouTube Data API refuses the request ({words})",
            "check GROUNDSWELL_YOUTUBE_API_KEY, and that the YouTube Data API v3 is enabled for it",
        )


def _video(video_id: str, about: Mapping[str, Any]) -> Video:
    snippet, content = about.get("snippet") or {}, about.get("contentDetails") or {}
    live = about.get("liveStreamingDetails") or {}
    status = _LIVE.get(snippet.get("liveBroadcastContent", ""))
    language = str(snippet.get("defaultAudioLanguage") or "").split("-")[0].lower()
    return Video(
        video_id=video_id,
        title=snippet.get("title") or "",
        description=(snippet.get("description") or "")[:DESCRIPTION_LIMIT],
        channel=snippet.get("channelTitle") or "",
        channel_id=snippet.get("channelId") or "",
        url=f"{HOME}/watch?v={video_id}",
        published_at=from_iso(str(snippet.get("publishedAt"))),
        duration_s=None if status else seconds(str(content.get("duration") or "")),
        language=language or None,
        live_status=status or ("was_live" if live.get("actualEndTime") else None),
        begins_at=from_iso(str(live.get("scheduledStartTime"))) if status == "is_upcoming" else None,
    )


def seconds(duration: str) -> float | None:
    """Return an ISO 8601 duration in seconds; None if it is invalid, or zero as that of an upcoming stream.

    Example:
        >>> seconds("PT1H2M3S")
        3723.0
    """
    match = _DURATION.fullmatch(duration)
    if match is None:
        return None
    weeks, days, hours, minutes, secs = (int(part or 0) for part in match.groups())
    span = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=secs)
    return span.total_seconds() or None
