"""Dry-run check of a source: which lanes work and what each shows; nothing is sent or stored."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from agents.discovery.connectors import Connectors, Find, Folder
from agents.discovery.visit_result import MAIN, channel_of
from streams.errors import DataError, Paused, Unavailable
from streams.events import Lane
from streams.state.blobs import Blobs
from streams.state.sources import Visits, Watched

ENOUGH = 30
"""Number of listing entries that are read: the first page."""
FIRST = 5
"""Number of videos that a check names."""


@dataclass(frozen=True, slots=True)
class ShownVideo:
    """A video that a lane shows; the publication date if the lane states it."""

    title: str
    published_at: datetime | None


@dataclass(frozen=True, slots=True)
class SourceCheck:
    """The result for one lane: the videos it shows, or the error."""

    lane: Lane
    works: bool
    vouches: bool
    """Whether this is a main lane, without which talks may be missed."""
    videos: int = 0
    more: bool = False
    """Whether there are more videos than were read."""
    source: str = ""
    """The name that the source gives itself."""
    first: tuple[ShownVideo, ...] = ()
    """The first videos, in the lane's order: usually the newest first."""
    cause: str = ""
    cure: str = ""


def check(lanes: Connectors, blobs: Blobs, watched: Watched, search_results: int) -> list[SourceCheck]:
    """Return the result of each lane of a source. Blocks; YouTube is asked only for the first page."""
    source, kind = watched.source, watched.source.kind
    checks: list[SourceCheck] = []

    def ask(lane: Lane, look: Callable[[], SourceCheck]) -> None:
        try:
            checks.append(look())
        except (DataError, Unavailable) as error:
            paused = f" (until {error.until:%Y-%m-%d %H:%M} UTC)" if isinstance(error, Paused) else ""
            checks.append(
                SourceCheck(lane, False, lane in MAIN[kind], cause=f"{error.cause}{paused}", cure=error.cure)
            )

    def shown(lane: Lane, finds: Iterator[Find], title: str = "", enough: int | None = ENOUGH) -> SourceCheck:
        found = list(itertools.islice(finds, enough))
        videos = [find.video for find in found]
        name = title or (videos[0].channel if videos and kind == "channel" else "")
        return SourceCheck(
            lane,
            True,
            lane in MAIN[kind],
            videos=len(videos),
            more=enough is not None and len(videos) == enough and next(finds, None) is not None,
            source=name,
            first=tuple(ShownVideo(each.title, each.published_at) for each in videos[:FIRST]),
        )

    channel_ids = [channel_of(watched)]

    def listed() -> SourceCheck:
        finds = list(itertools.islice(lanes.listing(source, search_results), ENOUGH + 1))
        channel_ids.extend(find.video.channel_id for find in finds if find.video.channel_id)
        return shown("search" if kind == "search" else "listing", iter(finds))

    def fed() -> SourceCheck:
        told = lanes.feed_of(next(filter(None, channel_ids)), Visits())
        return shown("rss", iter(told.finds), enough=None)

    def read() -> SourceCheck:
        told = lanes.podcast(source, Visits())
        return shown("feed", iter(told.finds), told.title, enough=None)

    match kind:
        case "feed":
            ask("feed", read)
        case "folder":
            ask(
                "folder",
                lambda: SourceCheck(
                    "folder", True, True, Folder(blobs, source).talks(), source=source.locator
                ),
            )
        case "search":
            ask("search", listed)
        case _:
            ask("listing", listed)
    if kind == "channel":
        if lanes.api is not None:
            ask("api", lambda: shown("api", lanes.uploads(source, next(filter(None, channel_ids), ""))))
        if any(channel_ids):
            ask("rss", fed)
    return checks
