"""The agents screen and fetch on a clock that tests move, with YouTube and podcast hosts on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from agents.acquisition.fetch import Fetch
from agents.consumer.consumer import Position
from agents.screening.screen import AdmissionPolicy, Screen
from streams.events import (
    Event,
    Sighting,
    Video,
    VideoAccepted,
    VideoSeen,
)
from streams.http.client import HttpClient
from streams.settings import Settings
from streams.state.blobs import Blobs
from streams.state.parked_videos import ParkingLot
from streams.youtube.client import YouTube

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
TALK = "abcdefghijk"
AT = Position("log", "videos.seen", 0, 0)


@dataclass
class Clock:
    """A clock that only advances when a caller sleeps."""

    moment: datetime
    waits: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return self.moment

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.moment += timedelta(seconds=seconds)


class Front:
    """The front of a study: videos go through screen and fetch, and parked ones return when they are due."""

    def __init__(
        self,
        home: Path,
        youtube: YouTube,
        *,
        gate: AdmissionPolicy | None = None,
        since: date | None = None,
        reader: HttpClient | None = None,
        passed: Callable[[str], VideoAccepted | None] = lambda _: None,
        **settings: Any,
    ) -> None:
        self.now = NOON
        self.settings = Settings(home=home, min_free_gb=0, **settings)
        self.blobs = Blobs(self.settings.blobs_url)
        self.lot = ParkingLot(self.blobs)
        clock = lambda: self.now  # noqa: E731
        self.screen = Screen(
            self.settings, youtube, self.lot, clock, gate, since=lambda _: since, passed=passed
        )
        self.folder = self.settings.study_home / "downloads"
        reader = reader or HttpClient(internal_addresses=True)
        self.fetch = Fetch(
            self.settings, self.blobs, youtube, reader, self.lot, folder=self.folder, now=clock
        )
        self.said: list[Event] = []
        """Everything that screen and fetch have said, in order."""

    async def handle(self, event: Event) -> list[Event]:
        """Let the event's consumer, screen or fetch, handle it; return the resulting events."""
        agent = self.fetch if isinstance(event, VideoAccepted) else self.screen
        return list(await agent.handle(event, AT))

    async def follow(self, event: Event) -> list[Event]:
        """Handle an event and the acceptances that result from it; return the final events."""
        said = await self.handle(event)
        self.said += said
        for each in [each for each in said if isinstance(each, VideoAccepted)]:
            said.remove(each)
            said += await self.follow(each)
        return said

    async def wait(self, **time: float) -> list[Event]:
        """Move the clock; return the events that result from the videos that are due by then."""
        self.now += timedelta(**time)
        return [said for event in ParkingLot(self.blobs).due(self.now) for said in await self.follow(event)]

    def parked(self) -> Iterator[str]:
        """Return the states of the waiting videos."""
        return (each.parked.state for each in self.lot.all() if not each.given_up)


def seen(
    video_id: str = TALK, *, at: datetime = NOON, kind: str = "channel", source_id: str = "s", **video: Any
) -> VideoSeen:
    """Return a sighting as discover sends it."""
    sighting = Sighting(source_id=source_id, kind=kind, seen_at=at)  # type: ignore[arg-type]
    return VideoSeen(video=Video(video_id=video_id, **video), sighting=sighting)
