"""Parses YouTube's Atom feeds, polled or pushed by a hub; podcasts are in `streams.feeds.podcasts`.

Feeds are written by others: they may be broken, cut off, replaced by a web page, or made to harm.
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
    """One video as a feed says it; `deleted`: that it is no more, and little else is said.

    `channel_id` begins with UC, or is empty where nothing names the channel. Moments are UTC, and None
    where they are not said, or not as a moment. `updated_at` of a deleted one: when it was deleted.
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
    """The entries of a feed in its order; `skipped` more name no video and cannot be followed."""

    skipped: int = 0


def feed_address(channel_id: str) -> str:
    """Return where YouTube keeps a channel's feed of its newest 15 videos.

    Example:
        >>> feed_address("UC0123456789abcdefghijkl")
        'https://www.youtube.com/feeds/videos.xml?channel_id=UC0123456789abcdefghijkl'
    """
    return f"{HOME}/feeds/videos.xml?channel_id={channel_id}"


def youtube_entries(body: bytes) -> FeedEntries:
    """Return what a channel's feed or a hub's notification says.

    Raises:
        DataError: it is too large, a web page, not XML, not Atom, or made to harm (entities, a DTD).
    """
    root = _parse(body)
    if root.tag != f"{_ATOM}feed":
        raise DataError(
            f"it is no Atom feed (its root is {plain(root.tag, 80)!r})",
            "look at the address in a browser; a channel's feed is /feeds/videos.xml?channel_id=UC…",
        )
    whose = _channel_id(root.findtext(f"{_YT}channelId") or "")
    entries = FeedEntries()
    for found in (*_living(root, whose), *_deleted(root)):
        if _VIDEO_ID.fullmatch(found.video_id):
            entries.append(found)
        else:
            entries.skipped += 1
    if entries.skipped:
        log.warning("entries of a feed name no video", skipped=entries.skipped, channel=whose)
    return entries


def _parse(body: bytes) -> Element:
    if len(body) > YOUTUBE_FEED_BYTES:
        raise DataError(
            f"the feed has {len(body):,} bytes, more than the {YOUTUBE_FEED_BYTES:,} that are read of one",
            "look at the address in a browser: this is no channel's feed",
        )
    refuse_web_page(body)
    try:
        return fromstring(body, forbid_dtd=True)
    except DefusedXmlException as error:
        _refuse(f"it declares what a feed never needs ({type(error).__name__}): it is made to harm", error)
    except (ParseError, ValueError, LookupError) as error:
        _refuse(f"it is not XML ({plain(str(error), 100)})", error)


def _refuse(why: str, error: Exception) -> NoReturn:
    raise DataError(
        f"the feed cannot be read: {why}",
        "it is asked again at the next visit; if it lasts, remove the source",
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
            # Made here: what a feed calls a link may lead anywhere.
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
    """Return a person's name; inside a tombstone it is in no namespace of its own, or in Atom's."""
    found = None if person is None else person.findtext(f"{_ATOM}name") or person.findtext(f"{_TOMB}name")
    return " ".join(plain(found, TITLE_CHARS).split())


def _channel_of(person: Element | None) -> str:
    """Return the channel that a person's address names."""
    uri = None if person is None else person.findtext(f"{_ATOM}uri") or person.findtext(f"{_TOMB}uri")
    steps = [step for step in _path((uri or "").strip()).split("/") if step]
    return _channel_id(steps[1]) if len(steps) == 2 and steps[0] == "channel" else ""


def _channel_id(text: str) -> str:
    """Return a channel's id with the UC that a feed leaves out for itself."""
    found = _CHANNEL_ID.fullmatch(text.strip())
    return f"UC{found[1]}" if found else ""


def _path(address: str) -> str:
    try:
        return urlsplit(address).path
    except ValueError:
        return ""


def _timestamp(text: str | None) -> datetime | None:
    """Return a timestamp in UTC; digits beyond microseconds are dropped. One that cannot be is unknown."""
    stated = from_iso((text or "").strip())
    return stated.astimezone(UTC) if stated else None
