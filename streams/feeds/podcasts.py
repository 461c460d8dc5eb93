"""Parser of podcast feeds: each episode becomes a talk with the address of its audio."""

from __future__ import annotations

import calendar
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

from streams.child_process import apart
from streams.errors import DataError
from streams.events import Video, stable_id
from streams.intake import DESCRIPTION_CHARS, PODCAST_FEED_BYTES, TITLE_CHARS
from streams.text_sanitizer import of_html, plain, refuse_web_page, unescaped
from streams.timestamps import from_unix

SECONDS, SECONDS_PER_MB, MEGABYTES = 10.0, 2.0, 1_000
"""Limits on parsing a feed; a real one takes 1 s per megabyte, and one of 30 MB a fifth of the memory."""
MEDIA = frozenset(
    (
        ".mp3",
        ".m4a",
        ".m4b",
        ".aac",
        ".ogg",
        ".oga",
        ".opus",
        ".flac",
        ".wav",
        ".mp4",
        ".m4v",
        ".mov",
        ".webm",
    )
)
_TIME = re.compile(r"(?:(\d{1,3}):)?(\d{1,4}):(\d{1,2})(?:\.\d*)?|(\d{1,6})(?:\.\d*)?", re.ASCII)


class Skipped(NamedTuple):
    """An entry that is not a talk, and the reason."""

    title: str
    reason: str


@dataclass(frozen=True, slots=True)
class Podcast:
    """A parsed podcast feed; `language` is an ISO 639 code or None, `episodes` keep the feed's order."""

    title: str
    language: str | None
    episodes: list[Video]
    skipped: list[Skipped]


def podcast_apart(body: bytes, feed_url: str) -> Podcast:
    """Run `podcast` in a child process with limits, because a malicious feed may take hours to parse.

    Raises:
        DataError: as `podcast`; or parsing takes more time or memory than a valid feed of its size.
    """
    seconds = SECONDS + SECONDS_PER_MB * len(body) / 1e6
    return apart(seconds, MEGABYTES, "the feed", podcast, body, feed_url)


def podcast(body: bytes, feed_url: str) -> Podcast:
    """Parse a podcast's feed (RSS or Atom, even if slightly malformed).

    An episode's `video_id` is `podcast-` and a hash of the feed's address and the episode's guid (if it has
    none, of its audio's address): it is stable while these are, whatever else is edited. All text is plain
    text: tags in titles are kept as characters, tags in descriptions are removed.

    Args:
        body: the response of the feed's address.
        feed_url: the address that the source names, not the one after redirects.

    Raises:
        DataError: it is too large, a web page, not a feed, or malicious (entities).
    """
    import feedparser  # type: ignore[import-untyped]

    if len(body) > PODCAST_FEED_BYTES:
        raise DataError(
            f"the feed has {len(body):,} bytes, more than the {PODCAST_FEED_BYTES:,} that a feed may have",
            "check in a browser that it is a podcast's feed; its host can shorten it",
        )
    refuse_web_page(body)
    if b"<!ENTITY" in body.replace(b"\0", b""):  # also finds it in UTF-16
        raise DataError(
            "the feed cannot be read: it declares XML entities, which only a malicious feed needs",
            "remove the source",
        )
    try:
        # As a stream, because feedparser may take text for an address or a file name. HTML is not sanitized
        # here, because that takes quadratic time, and only its text is used.
        read: Any = feedparser.parse(
            io.BytesIO(body),
            response_headers={"content-location": feed_url},
            sanitize_html=False,
            resolve_relative_uris=False,
        )
    except Exception as error:  # feedparser promises to raise nothing, but raises anything on damaged feeds
        raise DataError(
            f"the feed is too damaged to be read ({type(error).__name__})",
            "open the address in a browser; if the error persists, tell the podcast's host",
        ) from error
    if not read.get("version") and not read.entries:
        raise DataError(
            "it is not a podcast's feed", "open the address in a browser; podcast hosts call the feed RSS"
        )
    title = _line(read.feed.get("title"))
    language = _language(read.feed.get("language"))
    episodes: dict[str, Video] = {}
    skipped: list[Skipped] = []
    for entry in read.entries:
        about = _line(entry.get("title"))
        media = next(_media(entry, feed_url), "")
        guid = (entry.get("id") or "").strip() or media
        video_id = f"podcast-{stable_id(feed_url, guid)[:24]}"
        if not media:
            skipped.append(Skipped(about, "it has no audio or video"))
        elif video_id in episodes:
            skipped.append(Skipped(about, "the feed has it twice"))
        else:
            episodes[video_id] = Video(
                video_id=video_id,
                title=about,
                description=_description(entry),
                channel=title,
                show=title,
                url=_address(entry.get("link"), feed_url),
                published_at=_published_at(entry.get("published_parsed")),
                duration_s=_seconds(entry.get("itunes_duration")),
                language=language,
                media_url=media,
            )
    return Podcast(title, language, list(episodes.values()), skipped)


def _media(entry: Any, feed_url: str) -> Iterator[str]:
    """Yield the addresses of an episode's recording, audio first."""
    found = [(each.get("type"), each.get("href")) for each in entry.get("enclosures") or ()]
    found += [(each.get("type"), each.get("url")) for each in entry.get("media_content") or ()]
    kinds = [(_kind(kind, href), _address(href, feed_url)) for kind, href in found]
    for wanted in ("audio", "video", "by its name"):
        yield from (address for kind, address in kinds if kind == wanted and address)


def _kind(kind: str | None, href: str | None) -> str:
    """Return an enclosure's kind: "audio", "video", "by its name" (a recording's file name), or ''."""
    family = (kind or "").strip().lower().partition("/")[0]
    if family in ("audio", "video"):
        return family
    named = PurePosixPath(_path(href or "")).suffix.lower() in MEDIA
    return "by its name" if named and family in ("", "application", "binary") else ""


def _path(address: str) -> str:
    try:
        return urlsplit(address).path
    except ValueError:
        return ""


def _address(href: str | None, feed_url: str) -> str:
    """Return an absolute web address, or '' for any other link in a feed."""
    try:
        whole = urljoin(feed_url, (href or "").strip())
        parts = urlsplit(whole)
    except ValueError:
        return ""
    fine = parts.scheme in ("http", "https") and parts.hostname and whole.isprintable()
    return whole if href and fine and len(whole) <= TITLE_CHARS else ""


def _line(text: str | None) -> str:
    return " ".join(plain(unescaped(text or ""), TITLE_CHARS).split())


def _description(entry: Any) -> str:
    """Return the longest of an entry's notes and its summary, as plain text."""
    notes = [each.get("value") for each in entry.get("content") or ()] + [entry.get("summary")]
    return max((of_html(each, DESCRIPTION_CHARS) for each in notes), key=len)


def _published_at(parsed: Any) -> datetime | None:
    """Return a timestamp in UTC; None if it is missing or invalid."""
    try:
        return from_unix(calendar.timegm(parsed)) if parsed else None
    except (ValueError, OverflowError):
        return None


def _seconds(text: str | None) -> float | None:
    """Parse a duration given as seconds, mm:ss or hh:mm:ss; None if it is missing, invalid or zero.

    Example:
        >>> [_seconds(each) for each in ("3600", "59:30", "1:02:03", "an hour", "0")]
        [3600.0, 3570.0, 3723.0, None, None]
    """
    found = _TIME.fullmatch((text or "").strip())
    if not found:
        return None
    hours, minutes, seconds, alone = (int(each or 0) for each in found.groups())
    return float(alone or hours * 3600 + minutes * 60 + seconds) or None


def _language(text: str | None) -> str | None:
    """Return a language's code without its country; None if it does not look like an ISO 639 code.

    Example:
        >>> _language("en-US"), _language("English")
        ('en', None)
    """
    code = re.split(r"[-_]", (text or "").strip().lower())[0]
    return code if re.fullmatch(r"[a-z]{2,3}", code) else None
