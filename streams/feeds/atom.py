"""Parser of YouTube's Atom feeds, polled or pushed by a hub; podcasts are in `streams.feeds.podcasts`.

Feeds are untrusted input: they may be broken, truncated, replaced by a web page, or malicious.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NoReturn
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element, ParseError

import structlog
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from streams.errors import DataError
from streams.intake import DESCRIPTION_CHARS, TITLE_CHARS, YOUTUBE_FEED_BYTES
from streams.text_sanitizer import plain, refuse_web_page
from streams.timestamps import from_iso
from streams.youtube.locators import HOME

log = structlog.get_logger()

_ATOM = "{http://www.w3.org/2005/Atom}"
_YT = "{http://www.youtube.com/xml/schemas/2015}"
_MEDIA = "{http://search.yahoo.com/mrss/}"
_TOMB = "{http://purl.org/atompub/tombstones/1.0}"
_VIDEO_ID = re.compile(r"[\w-]{5,20}", re.ASCII)
_CHANNEL_ID = re.compile(r"(?:UC)?([\w-]{22})", re.ASCII)


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """One video as stated by a feed; of a `deleted` one the feed states little else.

    `channel_id` begins with UC, or is empty if nothing names the channel. Timestamps are UTC, and None if
    they are missing or invalid. `updated_at` of a deleted video is the time of its deletion.
    """

    video_id: str
    channel_id: str
    title: str = ""
    channel: str = ""
    url: str = ""
    published_at: datetime | None = None
    updated_at: datetime | None = None
    short_form: bool = False
    description: str = ""
    deleted: bool = False


class FeedEntries(list[FeedEntry]):
    """The entries of a feed in its order; `skipped` counts further entries that name no video."""

    skipped: int = 0


def feed_address(channel_id: str) -> str:
    """Return the address of a channel's feed, which lists its newest 15 videos.

    Example:
        >>> feed_address("UC0123456789abcdefghijkl")
        'https://www.youtube.com/feeds/videos.xml?channel_id=UC0123456789abcdefghijkl'
    """
    return f"{HOME}/feeds/videos.xml?channel_id={channel_id}"


def youtube_entries(body: bytes) -> FeedEntries:
    """Parse a channel's feed or a hub's notification.

    Raises:
        DataError: it is too large, a web page, not XML, not Atom, or malicious (entities, a DTD).
    """
    root = _parse(body)
    if root.tag != f"{_ATOM}feed":
        raise DataError(
            f"it is not an Atom feed (its root is {plain(root.tag, 80)!r})",
            "open the address in a browser; a channel's feed is /feeds/videos.xml?channel_id=UC…",
        )
    whose = _channel_id(root.findtext(f"{_YT}channelId") or "")
    entries = FeedEntries()
    for found in (*_living(root, whose), *_deleted(root)):
        if _VIDEO_ID.fullmatch(found.video_id):
            entries.append(found)
        else:
            entries.skipped += 1
    if entries.skipped:
        log.warning("a feed has entries without a video", skipped=entries.skipped, channel=whose)
    return entries


def _parse(body: bytes) -> Element:
    if len(body) > YOUTUBE_FEED_BYTES:
        raise DataError(
            f"the feed has {len(body):,} bytes, more than the {YOUTUBE_FEED_BYTES:,} that a feed may have",
            "open the address in a browser: this is not a channel's feed",
        )
    refuse_web_page(body)
    try:
        return fromstring(body, forbid_dtd=True)
    except DefusedXmlException as error:
        _refuse(f"it contains a malicious XML declaration ({type(error).__name__})", error)
    except (ParseError, ValueError, LookupError) as error:
        _refuse(f"it is not XML ({plain(str(error), 100)})", error)


def _refuse(why: str, error: Exception) -> NoReturn:
    raise DataError(
        f"the feed cannot be read: {why}",
        "groundswell reads it again at the next visit; if the error persists, remove the source",
    ) from error


def _living(root: Element, whose: str) -> Iterator[FeedEntry]:
    for entry in root.iterfind(f"{_ATOM}entry"):
        video_id = (entry.findtext(f"{_YT}videoId") or _after_prefix(entry.findtext(f"{_ATOM}id"))).strip()
        links = [each.get("href", "") for each in entry.iterfind(f"{_ATOM}link[@rel='alternate']")]
        author = entry.find(f"{_ATOM}author")
        yield FeedEntry(
            video_id=video_id,
            channel_id=_channel_id(entry.findtext(f"{_YT}channelId") or "") or _channel_of(author) or whose,
            title=" ".join(plain(entry.findtext(f"{_ATOM}title"), TITLE_CHARS).split()),
            channel=_name(author),
            # Built here, because a link in a feed may lead anywhere.
            url=f"{HOME}/watch?v={video_id}",
            published_at=_timestamp(entry.findtext(f"{_ATOM}published")),
            updated_at=_timestamp(entry.findtext(f"{_ATOM}updated")),
            short_form=any(_path(link).startswith("/shorts/") for link in links),
            description=plain(
                entry.findtext(f"{_MEDIA}group/{_MEDIA}description"), DESCRIPTION_CHARS
            ).strip(),
        )


def _deleted(root: Element) -> Iterator[FeedEntry]:
    for entry in root.iterfind(f"{_TOMB}deleted-entry"):
        by = entry.find(f"{_TOMB}by")
        video_id = _after_prefix(entry.get("ref"))
        yield FeedEntry(
            video_id=video_id,
            channel_id=_channel_of(by),
            channel=_name(by),
            url=f"{HOME}/watch?v={video_id}",
            updated_at=_timestamp(entry.get("when")),
            deleted=True,
        )


def _after_prefix(text: str | None) -> str:
    return (text or "").strip().removeprefix("yt:video:")


def _name(person: Element | None) -> str:
    """Return a person's name; a tombstone has it in its own namespace or in Atom's."""
    found = None if person is None else person.findtext(f"{_ATOM}name") or person.findtext(f"{_TOMB}name")
    return " ".join(plain(found, TITLE_CHARS).split())


def _channel_of(person: Element | None) -> str:
    """Return the id of the channel that a person's URI names, or ''."""
    uri = None if person is None else person.findtext(f"{_ATOM}uri") or person.findtext(f"{_TOMB}uri")
    steps = [step for step in _path((uri or "").strip()).split("/") if step]
    return _channel_id(steps[1]) if len(steps) == 2 and steps[0] == "channel" else ""


def _channel_id(text: str) -> str:
    """Return a channel's id with the prefix UC, which a feed omits in its own id; '' if it is invalid."""
    found = _CHANNEL_ID.fullmatch(text.strip())
    return f"UC{found[1]}" if found else ""


def _path(address: str) -> str:
    try:
        return urlsplit(address).path
    except ValueError:
        return ""


def _timestamp(text: str | None) -> datetime | None:
    """Return a timestamp in UTC, truncated to microseconds; None if it is invalid."""
    stated = from_iso((text or "").strip())
    return stated.astimezone(UTC) if stated else None
