"""Events of discovery: watched sources, and sightings of videos.

Import them from `streams.events`.
"""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import AwareDatetime

from streams.events.base import Event, Fact

SourceKind = Literal["channel", "playlist", "search", "feed", "folder"]
Lane = Literal["", "push", "rss", "listing", "search", "api", "feed", "folder"]
"""How a video was found; empty: it was handed in, or seen before lanes were recorded."""


class Source(Fact):
    """A source that is watched for new talks."""

    source_id: str
    kind: SourceKind
    locator: str
    """URL, handle or id of a channel or playlist; the query of a search; a podcast's feed; a folder."""
    added_at: AwareDatetime
    since: date | None = None
    """Talks published before this day (UTC) are not wanted; None: all are."""


class Sighting(Fact):
    """Sighting: where and when a source showed a video."""

    source_id: str
    kind: Literal["channel", "playlist", "search", "file", "link", "feed", "folder"]
    lane: Lane = ""
    query: str = ""
    rank: int | None = None
    seen_at: AwareDatetime


class SourceDue(Event):
    """A source is due for a visit."""

    source: Source
    slot: AwareDatetime

    @property
    def key(self) -> str:
        """The source."""
        return self.source.source_id

    def _identity(self) -> tuple[object, ...]:
        return (self.key, self.slot.isoformat())
