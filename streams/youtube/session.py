"""Sessions of yt-dlp, with fixed options, cookies and the governor. No other module runs yt-dlp."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import structlog

from streams.errors import Misconfigured
from streams.telemetry import COOKIES_REFUSED
from streams.youtube.cookies import EXPORT, read_cookies
from streams.youtube.errors import (
    RefusalVerdict,
    RefusedForNow,
    YouTubeRefused,
    classify,
    cookies_refused_in,
    explained,
    hidden_in,
)
from streams.youtube.request_budget import Governor

log = structlog.get_logger()
_OPTIONS = {
    # By name, so that no address can reach the generic extractor, and through it the internal network.
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


class Warnings:
    """yt-dlp's logger: keeps warnings, drops the rest."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def debug(self, _message: str) -> None:
        """Ignore the message."""

    def error(self, _message: str) -> None:
        """Ignore the message, because the same text is raised."""

    def warning(self, message: str) -> None:
        """Keep the message."""
        self.lines.append(str(message))


class YouTubeSession(NamedTuple):
    """A session that `YouTubeSessions.open` yields."""

    ydl: Any
    warnings: Warnings
    answered: Callable[[], None]
    """To be called as soon as YouTube answered the request; the rest may take long, or never arrive."""


class YouTubeSessions:
    """Factory of yt-dlp sessions with the same governor, proxy and cookies.

    Raises:
        Misconfigured: the cookie file is unusable.
    """

    def __init__(
        self,
        proxy: str,
        insecure_tls: bool,
        cache_dir: Path | None,
        cookies: str,
        governor: Governor | None,
    ) -> None:
        self._network: dict[str, Any] = {
            "nocheckcertificate": insecure_tls,
            "cachedir": str(cache_dir) if cache_dir else False,
        }
        if proxy:
            self._network["proxy"] = proxy
        self._cookies = Path(cookies) if cookies else None
        if self._cookies is not None:
            read_cookies(self._cookies)
        self._governor = governor

    @contextmanager
    def open(self, what: str, *, paged: bool = False, **options: Any) -> Iterator[YouTubeSession]:
        """Yield a session; its errors are classified, and its end is reported to the governor.

        A tab that a channel lacks ends the block without an error. After an HTTP 429, nothing more is sent:
        further requests of yt-dlp, such as its retries, fail locally.

        Args:
            what: the requested item, in words for people.
            paged: each request after `answered` waits for its own turn, as for a listing's pages.
            options: options of yt-dlp.

        Raises:
            Paused: requests to YouTube are paused; nothing was requested.
            YouTubeRefused, RefusedForNow: with the verdict.
        """
        from yt_dlp.utils import YoutubeDLError

        warnings = Warnings()
        cookies = self._private_cookies(what)
        if self._governor is not None:
            self._governor.turn()
        ydl = None
        try:
            given = _OPTIONS | self._network | cookies | {"logger": warnings} | options
            with _wire(given) as ydl:
                yield YouTubeSession(ydl, warnings, partial(self._answered, warnings, ydl, paged))
        except (YoutubeDLError, OSError) as error:
            verdict = classify(error, warnings.lines)
            self._ended(verdict, warnings, ydl)
            if verdict.kind != "no tab":
                raise explained(verdict, what) from error
        except (YouTubeRefused, RefusedForNow) as error:
            self._ended(error.verdict, warnings, ydl)
            raise
        except GeneratorExit:  # the reader of a listing stopped early
            self._ended(None, warnings, ydl)
            raise
        else:
            self._ended(None, warnings, ydl)
        finally:
            if cookies_refused_in(warnings.lines):
                COOKIES_REFUSED.inc()
                log.warning("YouTube no longer accepts the cookies", cure=EXPORT)
            if self._governor is not None and ydl is not None:
                self._governor.counted(ydl.requests)

    def _private_cookies(self, what: str) -> dict[str, Any]:
        """Return the cookies as a copy in memory, because yt-dlp writes to its cookie file when it closes."""
        if self._cookies is None:
            return {}
        try:
            return {"cookiefile": io.StringIO(read_cookies(self._cookies))}
        except Misconfigured as error:  # the file was valid when this process began
            verdict = RefusalVerdict("local", error.cause, "session")
            raise RefusedForNow(f"cannot get {what}: {error.cause}", error.cure, verdict) from error

    def _answered(self, warnings: Warnings, ydl: Any, paged: bool) -> None:
        if self._governor is not None and not ydl.answered:
            ydl.answered = True
            self._ended(None, warnings, ydl)
            if paged:
                ydl.before_request = self._governor.turn

    def _ended(self, verdict: RefusalVerdict | None, warnings: Warnings, ydl: Any) -> None:
        if self._governor is None:
            return
        hidden = hidden_in(warnings.lines)
        if ydl is not None and ydl.throttled:
            hidden = RefusalVerdict(
                "throttled", "YouTube limits the requests of this address (HTTP 429)", "session"
            )
        if hidden is not None and hidden.scope == "session" and hidden.kind in ("throttled", "blocked"):
            verdict = hidden  # only a warning for yt-dlp, but it concerns the whole session
        if verdict is None:
            self._governor.succeeded()
        else:
            self._governor.refused(verdict)


def _wire(options: dict[str, Any]) -> Any:
    """Return a YoutubeDL that counts its requests, and sends none after an HTTP 429."""
    from yt_dlp import YoutubeDL
    from yt_dlp.networking import Response
    from yt_dlp.networking.exceptions import HTTPError

    class Wire(YoutubeDL):  # type: ignore[misc]
        requests = 0
        throttled = False
        answered = False
        before_request: Callable[[], None] | None = None

        def urlopen(self, req: Any) -> Any:
            if self.throttled:
                url = req if isinstance(req, str) else req.url
                raise HTTPError(Response(io.BytesIO(), url=url, headers={}, status=429))
            if self.before_request is not None:
                self.before_request()
            self.requests += 1
            try:
                return super().urlopen(req)
            except HTTPError as error:
                self.throttled = error.status == 429
                raise

    return Wire(options)
