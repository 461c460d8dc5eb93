"""Classification of YouTube's refusals, each with a cure for the user.

yt-dlp raises one class for nearly all of them; only its text, the inner exceptions and the warnings
distinguish them. The rules were checked against the answers of yt-dlp 2026.10.26 to a simulated YouTube.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from streams.errors import DataError, Unavailable

Kind = Literal[
    "permanent", "auth", "gone", "geo", "wait", "recheck", "unsupported", "no tab",
    "transient", "throttled", "blocked", "local",
]  # fmt: skip
Scope = Literal["video", "source", "session"]
"""The scope of a refusal; `session`: every request from this machine's address."""


class RefusalVerdict(NamedTuple):
    """The meaning of one refusal."""

    kind: Kind
    reason: str
    scope: Scope = "video"

    @property
    def is_private(self) -> bool:
        """Return whether the video is private, so perhaps scheduled; decided by our words, not YouTube's."""
        return self.kind == "permanent" and "private" in self.reason.partition("(")[0]


PAID = "it is for paying members only"
"""Beginning of the reason for paid content; no cookie file helps, as groundswell reads only free videos."""

NONE_LISTED = "it shows no video that can be read"
"""Beginning of the reason for a playlist whose page counts videos but shows no readable one."""

_NO_JAVASCRIPT = "the JavaScript that YouTube requires cannot run on this machine"

_RULES: tuple[tuple[Kind, Scope, str, str], ...] = (
    (
        "throttled",
        "session",
        "YouTube limits the requests of this address",
        r"content isn.t available, try again later|rate-limited by YouTube|HTTP Error 429|Too Many Requests",
    ),
    (
        "blocked",
        "session",
        "YouTube takes this address for a bot",
        r"confirm you.{0,3}re not a bot|captcha|IP is likely being blocked|unusual traffic"
        r"|Failed to parse JSON|Incomplete yt initial data",
    ),
    ("no tab", "source", "the channel has no such tab", r"does not have a \S+ tab"),
    (
        "gone",
        "source",
        "there is no such channel or playlist, or it is private",
        r"YouTube said: .*(channel|account|playlist)"
        r".*(removed|terminated|does not exist|not available|unavailable|private)"
        r"|playlist does(n.t| not) exist|does the playlist exist|unviewable",
    ),
    (
        "auth",
        "video",
        "it is for signed-in adults only",
        r"confirm your age|age-restricted|inappropriate for some users",
    ),
    (
        "auth",
        "video",
        PAID,
        r"members-only|channel.s members|Premium members|requires payment|join this channel",
    ),
    ("geo", "video", "it is not shown in this country", r"in your country|geo.?restrict"),
    ("permanent", "video", "it is private", r"private video|video is private"),
    (
        "permanent",
        "video",
        "it was removed",
        r"removed by the uploader|(been|was) removed|been terminated|copyright (grounds|claim)"
        r"|no longer available|video does not exist",
    ),
    (
        "wait",
        "video",
        "it is not available yet",
        r"premieres? (in|will)|will begin|live event (will|has)|processing this video"
        r"|live stream recording is not available|\boffline\b",
    ),
    ("auth", "video", "it is for signed-in users only", r"please sign in|sign in to"),
    (
        "recheck",
        "video",
        "YouTube calls it unavailable without saying why",
        r"video unavailable|video is (unavailable|not available)|content isn.t available",
    ),
    (
        "local",
        "session",
        "this machine cannot write the file",
        r"No space left|Permission denied|Read-only file system",
    ),
    (
        "local",
        "session",
        _NO_JAVASCRIPT,
        r"No supported JavaScript runtime|challenge solving failed",
    ),
    (
        "transient",
        "video",
        "the transfer failed",
        r"HTTP Error (5\d\d|403)|timed? ?out|Connection (refused|reset|aborted)|Remote end closed"
        r"|more expected|bytes read|any data blocks|name resolution|Incomplete data received",
    ),
)
"""(kind, scope, reason, pattern of yt-dlp's or YouTube's words); the first that matches wins."""

_PATTERNS = tuple(re.compile(rule[3], re.IGNORECASE) for rule in _RULES)

_VAGUE = ("recheck", "unsupported")
_HIDDEN = ("throttled", "blocked", "local", "transient")
_REFUSALS = ("throttled", "blocked", "auth", "geo", "permanent", "wait", "recheck")
_TRANSPORT = re.compile(r"HTTP Error|Unable to download|Retrying")

CURES: dict[Kind, str] = {
    "permanent": "drop it; a private video may be a scheduled one: replay that once it is public",
    "auth": "set GROUNDSWELL_COOKIES to the cookie file of an account that may see it and replay; or drop it",
    "gone": "open its address in a browser; correct or remove the source",
    "geo": "set GROUNDSWELL_PROXY to a proxy in a country where it is shown, then replay",
    "wait": "replay after it has premiered or, for a live stream, some hours after its end",
    "recheck": "replay tomorrow, because such answers are often temporary; drop it if the error persists",
    "unsupported": "upgrade yt-dlp and its parts (yt-dlp-ejs, deno), then replay",
    "no tab": "add the channel's playlists as sources instead",
    "transient": "groundswell tries again; if the error persists, check the network and GROUNDSWELL_PROXY",
    "throttled": "leave YouTube alone for an hour or more, then watch fewer sources or set GROUNDSWELL_PROXY",
    "blocked": "leave YouTube alone for some hours, or set GROUNDSWELL_PROXY to reach it from elsewhere",
    "local": "free disk space, or correct the permissions, the proxy or the deno program; then start again",
}
_CURES_BY_REASON = {
    NONE_LISTED: "open its address in a browser: if it has videos, upgrade yt-dlp; else remove the source",
    PAID: "drop it; groundswell reads only what is open to everybody, and pays for nothing",
    _NO_JAVASCRIPT: 'install deno beside yt-dlp ("pip install deno"), then start again',
}
"""Cures for reasons whose kind's cure would mislead, by the beginning of the reason."""
_OUTSIDE: frozenset[Kind] = frozenset({"transient", "throttled", "blocked", "local"})


_UNWRITABLE = (errno.EACCES, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def classify(error: BaseException, warnings: Iterable[str] = ()) -> RefusalVerdict:
    """Classify a yt-dlp error.

    Args:
        error: the error that yt-dlp raised; its inner exceptions count too.
        warnings: yt-dlp's warnings in this session. Refusals of the player API show only there, before an
            error as vague as "No video formats found!".
    """
    text = _plain(str(error))
    verdicts = (_by_class(inner, text) for inner in _chain(error))
    verdict = next(filter(None, verdicts), None) or _by_text(text)
    verdict = verdict or RefusalVerdict("unsupported", f"yt-dlp cannot read it ({text})")
    return hidden_in(warnings) or verdict if verdict.kind in _VAGUE else verdict


def hidden_in(warnings: Iterable[str]) -> RefusalVerdict | None:
    """Return the gravest refusal that yt-dlp reported only as a warning, or None."""
    verdicts = [verdict for line in warnings if (verdict := _by_text(_plain(line)))]
    hidden = [verdict for verdict in verdicts if verdict.kind in _HIDDEN]
    return min(hidden, key=lambda verdict: _HIDDEN.index(verdict.kind), default=None)


def cookies_refused_in(warnings: Iterable[str]) -> bool:
    """Return whether YouTube no longer accepts the cookies, which yt-dlp reports only as a warning."""
    return any("cookies are no longer valid" in line for line in warnings)


def refusal_in(warnings: Iterable[str]) -> RefusalVerdict | None:
    """Return YouTube's own refusal of a video, which is only a warning under `ignore_no_formats_error`.

    Transport errors do not count: the page may have stated enough nevertheless.
    """
    verdicts = [_by_text(_plain(line)) for line in warnings if not _TRANSPORT.search(line)]
    refusals = [verdict for verdict in verdicts if verdict is not None and verdict.kind in _REFUSALS]
    return refusals[-1] if refusals else None


class YouTubeRefused(DataError):  # noqa: N818 - errors here are named for what happened
    """YouTube refused a video or a source; an immediate retry would change nothing."""

    def __init__(self, cause: str, cure: str, verdict: RefusalVerdict) -> None:
        super().__init__(cause, cure)
        self.verdict = verdict


class RefusedForNow(Unavailable):
    """YouTube, or this machine, refused temporarily."""

    def __init__(self, cause: str, cure: str, verdict: RefusalVerdict) -> None:
        super().__init__(cause, cure)
        self.verdict = verdict


def explained(verdict: RefusalVerdict, what: str) -> YouTubeRefused | RefusedForNow:
    """Return the error to raise for a verdict, with cause and cure.

    Args:
        verdict: the classified refusal.
        what: the requested item, such as `video dQw4w9WgXcQ`.
    """
    error = RefusedForNow if verdict.kind in _OUTSIDE else YouTubeRefused
    closer = (cure for start, cure in _CURES_BY_REASON.items() if verdict.reason.startswith(start))
    cure = next(closer, CURES[verdict.kind])
    return error(f"cannot get {what}: {verdict.reason}", cure, verdict)


def _by_class(error: BaseException, text: str) -> RefusalVerdict | None:
    from yt_dlp.networking import exceptions
    from yt_dlp.utils import ContentTooShortError, GeoRestrictedError, UnsupportedError

    if isinstance(error, exceptions.HTTPError):
        return _by_status(error.status)
    if isinstance(error, GeoRestrictedError):
        return RefusalVerdict("geo", f"it is not shown in this country ({text})")
    if isinstance(error, UnsupportedError):
        return RefusalVerdict("unsupported", f"yt-dlp cannot read it ({text})")
    if isinstance(error, exceptions.ProxyError | exceptions.CertificateVerifyError):
        return RefusalVerdict("local", f"the proxy or its certificate is refused ({text})", "session")
    if isinstance(error, OSError) and error.errno in _UNWRITABLE:
        return RefusalVerdict("local", f"this machine cannot write the file ({error.strerror})", "session")
    if isinstance(error, exceptions.RequestError | ContentTooShortError | ConnectionError | TimeoutError):
        return RefusalVerdict("transient", f"the transfer failed ({text})")
    return None


def _by_status(status: int) -> RefusalVerdict:
    match status:
        case 429:
            return RefusalVerdict(
                "throttled", "YouTube limits the requests of this address (HTTP 429)", "session"
            )
        case 404 | 410:
            return RefusalVerdict("recheck", f"YouTube does not find it (HTTP {status})")
        case 401:
            return RefusalVerdict("auth", "it is for signed-in users only (HTTP 401)")
        case _:
            return RefusalVerdict("transient", f"YouTube answered HTTP {status}")


def _by_text(text: str) -> RefusalVerdict | None:
    for (kind, scope, reason, _), pattern in zip(_RULES, _PATTERNS, strict=True):
        if pattern.search(text):
            return RefusalVerdict(kind, f"{reason} ({text})", scope)
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield the error and all its inner exceptions, which yt-dlp keeps in four different places."""
    seen: list[BaseException] = []
    inner: object = error
    while isinstance(inner, BaseException) and inner not in seen:
        yield inner
        seen.append(inner)
        wrapped = getattr(inner, "exc_info", None) or (None, None)
        places = (wrapped[1], getattr(inner, "cause", None), inner.__cause__, inner.__context__)
        inner = next((place for place in places if place is not None and place not in seen), None)


_ADVICE = re.compile(
    r"[;.]?\s*(Use --cookies|You might want to use a VPN|It is recommended to use|For more information, refer"
    r"|please report this issue|Only deno is enabled by default).*",
    re.DOTALL,
)
_PREFIX = re.compile(r"^(ERROR: |WARNING: )?(\[[\w:]+\] )?([\w-]{11}: )?")


def _plain(text: str) -> str:
    """Return yt-dlp's message without prefixes, line breaks and advice about its own command line."""
    return " ".join(_PREFIX.sub("", _ADVICE.sub("", text)).split())[:300]
