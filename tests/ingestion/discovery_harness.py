"""A study with manually driven discovery: the real agent, yt-dlp and ClickHouse, and a movable clock."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from xml.sax.saxutils import escape

from agents.consumer.consumer import Position
from agents.discovery.connectors import Connectors
from agents.discovery.discover import Discover
from streams.events import Event, Source, SourceDue, VideoSeen
from streams.http.client import HttpClient
from streams.kafka.topics import SOURCES_DUE, VIDEOS_SEEN
from streams.settings import Settings
from streams.state.blobs import Blobs
from streams.state.source_locators import locate
from streams.state.sources import Sources, Watched, source_id
from streams.store import writer
from streams.store.warehouse import Warehouse
from streams.youtube.client import YouTube
from streams.youtube.data_api import DataApi
from tests.loopback_youtube import FakeVideo, LoopbackYouTube

BEGIN = datetime(2026, 3, 2, 9, tzinfo=UTC)
numbers = itertools.count()


@dataclass
class Clock:
    """A clock that tests move forward."""

    now: datetime = BEGIN

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **span: float) -> None:
        self.now += timedelta(**span)


@dataclass
class Answer:
    """The answer of one path of the server."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class Web:
    """Feeds and the Data API on this machine; `asked` holds the requests: path with query, and headers."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []

    def __enter__(self) -> Self:
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                web.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
                answer = web.answer(self.path)
                same = answer.headers.get("ETag", "-") == self.headers.get("If-None-Match")
                self.send_response(304 if same else answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                body = b"" if same else answer.body
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, path: str) -> Answer:
        """Return the answer for a path, by its longest known prefix."""
        known = [each for each in self.answers if path.startswith(each)]
        return self.answers[max(known, key=len)] if known else Answer(status=404)


def channel_feed(*videos: FakeVideo, updated: datetime | None = None, shorts: Iterable[str] = ()) -> bytes:
    """Return a channel's feed as YouTube writes it: the newest 15, the channel's own id without its UC."""
    short_ids, channel = set(shorts), videos[0]
    entries = "".join(
        f"""<entry><id>yt:video:{video.id}</id><yt:videoId>{video.id}</yt:videoId>
        <yt:channelId>{video.channel_id}</yt:channelId><title>{escape(video.title)}</title>
        <link rel="alternate" href="https://www.youtube.com/{path(video.id, short_ids)}"/>
        <author><name>{channel.channel}</name>
        <uri>https://www.youtube.com/channel/{video.channel_id}</uri></author>
        <published>{(video.published_at or BEGIN).isoformat()}</published>
        <updated>{(updated or video.published_at or BEGIN).isoformat()}</updated></entry>"""
        for video in videos[:15]
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
    <feed xmlns:yt="http://www.youtube.com/xml/schemas/2015" xmlns:media="http://search.yahoo.com/mrss/"
     xmlns="http://www.w3.org/2005/Atom"><id>yt:channel:{channel.channel_id[2:]}</id>
    <yt:channelId>{channel.channel_id[2:]}</yt:channelId><title>{channel.channel}</title>{entries}</feed>""".encode()


def path(video_id: str, shorts: set[str]) -> str:
    return f"shorts/{video_id}" if video_id in shorts else f"watch?v={video_id}"


@dataclass
class Discovery:
    """A study, its sources, and the agent that visits them; `restart` makes a new one, as after a kill -9."""

    settings: Settings
    blobs: Blobs
    warehouse: Warehouse
    loopback: LoopbackYouTube
    web: Web
    clock: Clock = field(default_factory=Clock)
    api_key: str = ""
    youtube: YouTube | None = None
    hub: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.sources = Sources(self.blobs)
        self.restart()

    def restart(self) -> None:
        api = DataApi(self.api_key, base=f"{self.web.url}/v3") if self.api_key else None
        youtube = self.youtube or YouTube(proxy=self.loopback.proxy, insecure_tls=True)
        reader = HttpClient("", internal_addresses=True)
        lanes = Connectors(youtube, reader, api, lambda channel_id: f"{self.web.url}/feeds/{channel_id}")
        self.agent = Discover(
            self.settings,
            self.blobs,
            self.warehouse,
            {VIDEOS_SEEN.name: "log"},
            youtube,
            now=self.clock,
            lanes=lanes,
            **self.hub,
        )

    def push(
        self, subscribe: Callable[[Mapping[str, str]], Awaitable[None]], pushed: Callable[[str], bool]
    ) -> None:
        """Restart the agent with a hub."""
        self.hub = {"subscribe": subscribe, "pushed": pushed}
        self.restart()

    def add(self, text: str, since: date | None = None) -> str:
        kind, locator = locate(text)
        source = Source(
            source_id=source_id(kind, locator),
            kind=kind,
            locator=locator,
            added_at=self.clock.now,
            since=since,
        )
        assert self.sources.add(source)
        return source.source_id

    def watched(self, source_id: str) -> Watched:
        return self.sources.named(source_id)

    async def due(self) -> list[SourceDue]:
        return [event for event in await self.agent.tick() if isinstance(event, SourceDue)]

    async def look(self, *, store: bool = True) -> list[Event]:
        """Visit the sources that are due now, and store the resulting events."""
        found: list[Event] = []
        for number, event in enumerate(await self.due()):
            found += await self.agent.handle(event, Position("log", SOURCES_DUE.name, 0, number))
        if store:
            self.store(found)
        return found

    async def next(self, source_id: str, *, store: bool = True) -> list[Event]:
        """Move the clock to a source's next visit, and visit the sources that are due then."""
        at = self.watched(source_id).visits.next_visit
        assert at is not None
        self.clock.now = max(self.clock.now, at)
        return await self.look(store=store)

    def store(self, events: Iterable[Event]) -> None:
        writer.write(self.warehouse, (row for event in events for row in writer.rows_of(event)))

    def feed(self, *videos: FakeVideo, **how: Any) -> None:
        """Publish a channel's feed with these videos."""
        self.web.answers[f"/feeds/{videos[0].channel_id}"] = Answer(channel_feed(*videos, **how))


@contextmanager
def discovery(home: Path, blobs: Path, **settings: Any) -> Iterator[Discovery]:
    """Yield a separate study in the embedded engine, with its own YouTube and web server."""
    about = Settings(home=home, study=f"discovery_{next(numbers)}", **settings)
    with Warehouse(about) as warehouse, LoopbackYouTube() as loopback, Web() as web:
        warehouse.migrate()
        yield Discovery(about, Blobs(str(blobs)), warehouse, loopback, web)


def seen(events: Iterable[Event], lane: str | None = None) -> list[str]:
    """Return the ids of the videos that one lane, or all, have seen, in order."""
    return [
        event.key
        for event in events
        if isinstance(event, VideoSeen) and (lane is None or event.sighting.lane == lane)
    ]
