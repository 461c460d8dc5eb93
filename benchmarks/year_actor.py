"""The process that discovers in a simulated year: driven by lines of JSON, and killed in between."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

if TYPE_CHECKING:
    from benchmarks.year_world import World

LINE = 64 * 1024 * 1024


class Actor:
    """The process, from outside."""

    def __init__(self, home: Path, world: World) -> None:
        self._home = home
        self._command = [
            sys.executable,
            "-c",
            "from benchmarks.year_actor import main; main()",
            str(home),
            world.youtube.proxy,
            world.url,
        ]

    async def start(self, now: datetime) -> None:
        """Start it, or start it again."""
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=(self._home / "actor.log").open("ab"),
            cwd=ROOT,
            limit=LINE,
        )
        await self.say({"do": "start"}, now)

    async def say(self, command: dict[str, Any], now: datetime) -> dict[str, Any]:
        """Let it do something at a moment; return what it says."""
        await self._send(command, now)
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError((self._home / "actor.log").read_text(errors="replace")[-3000:])
        said: dict[str, Any] = json.loads(line)
        return said

    async def killed_doing(self, command: dict[str, Any], now: datetime, after_s: float) -> None:
        """Let it begin something, and kill it."""
        await self._send(command, now)
        await asyncio.sleep(after_s)
        self._process.kill()
        await self._process.wait()

    async def end(self) -> None:
        """Let it end."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()

    async def _send(self, command: dict[str, Any], now: datetime) -> None:
        assert self._process.stdin is not None
        line = json.dumps(command | {"now": now.isoformat()})
        self._process.stdin.write(line.encode() + b"\n")
        await self._process.stdin.drain()


class Discovering:
    """The agent and what it needs, on a clock that the commands move."""

    def __init__(self, home: Path, proxy: str, web: str) -> None:
        from agents.discovery.connectors import Connectors
        from agents.discovery.discover import Discover
        from agents.discovery.websub_receiver import WebSubReceiver
        from streams.feeds.websub_subscriptions import Subscriptions
        from streams.http.client import HttpClient
        from streams.kafka.topics import VIDEOS_SEEN
        from streams.settings import Settings
        from streams.state.blobs import Blobs
        from streams.store.warehouse import Warehouse
        from streams.youtube.client import YouTube
        from streams.youtube.request_budget import Governor, identity_of

        self.now = datetime(2025, 1, 1, tzinfo=UTC)
        clock = lambda: self.now  # noqa: E731
        settings = Settings(
            home=home, study="year", push_url="https://talks.example.org", push_hub=f"{web}/subscribe"
        )
        self.blobs = Blobs(settings.blobs_url)
        self.warehouse = Warehouse(settings)
        self.warehouse.migrate()
        self.governor = Governor(
            settings.study_home / "egress",
            identity_of("", ""),
            settings.requests_per_hour,
            settings.pause_s,
            now=clock,
            sleep=lambda _: None,
            jitter=lambda: 0.5,
        )
        youtube = YouTube(proxy, insecure_tls=True, governor=self.governor)
        reader = HttpClient("", internal_addresses=True)
        self.push = WebSubReceiver(settings, self.blobs, reader, clock)
        subscriptions = Subscriptions(self.blobs)

        def pushed(channel_id: str) -> bool:
            known = subscriptions.of(channel_id)
            return known is not None and known.covers(self.now)

        self.agent = Discover(
            settings,
            self.blobs,
            self.warehouse,
            {VIDEOS_SEEN.name: "log"},
            youtube,
            now=clock,
            lanes=Connectors(youtube, reader, None, lambda channel_id: f"{web}/feeds/{channel_id}"),
            pushed=pushed,
            subscribe=self.push.due,
        )

    async def do(self, command: dict[str, Any]) -> dict[str, Any]:
        """Do what a line says."""
        self.now = datetime.fromisoformat(command["now"])
        match command["do"]:
            case "start":
                self._store(await self.agent.start())
                return {}
            case "watch":
                return self._watch(command["channels"])
            case "look":
                return await self._look()
            case "verify":
                status, body = self.push.verify(command["token"], command["params"])
                return {"status": status, "body": body}
            case "deliver":
                headers = {"X-Hub-Signature": command["signature"]}
                status, events = self.push.deliver(command["token"], headers, command["body"].encode())
                self._store(events)
                self.push.mark_sent(events)
                return {"status": status}
            case "found":
                return self._found()
        raise ValueError(command["do"])

    def _watch(self, channels: list[str]) -> dict[str, Any]:
        from streams.events import Source
        from streams.state.sources import Sources, source_id

        sources = Sources(self.blobs)
        for channel in channels:
            name = source_id("channel", channel)
            sources.add(Source(source_id=name, kind="channel", locator=channel, added_at=self.now))
        return {}

    async def _look(self) -> dict[str, Any]:
        from agents.consumer.consumer import Position
        from streams.events import SourceDue
        from streams.kafka.topics import SOURCES_DUE
        from streams.state.sources import Sources

        for number, event in enumerate(await self.agent.tick()):
            if isinstance(event, SourceDue):
                try:
                    found = await self.agent.handle(event, Position("log", SOURCES_DUE.name, 0, number))
                except Exception as error:
                    print(repr(error), file=sys.stderr, flush=True)
                else:
                    self._store(found)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        if others:
            await asyncio.wait(others, timeout=30)
        visits = [each.visits.next_visit for each in Sources(self.blobs).watched()]
        following = min((at for at in visits if at is not None), default=self.now + timedelta(minutes=1))
        paused = self.governor.status().open_until is not None
        return {"next": following.isoformat(), "paused": paused}

    def _store(self, events: Any) -> None:
        from streams.store import writer

        writer.write(self.warehouse, (row for event in events for row in writer.rows_of(event)))

    def _found(self) -> dict[str, Any]:
        rows = self.warehouse.rows(
            "SELECT video_id, lane, min(first_seen_at) AS at FROM sightings GROUP BY video_id, lane"
        )
        seen: dict[str, dict[str, str]] = {}
        for row in rows:
            seen.setdefault(row["video_id"], {})[row["lane"]] = row["at"].isoformat()
        counted = self.warehouse.rows("SELECT count() AS videos FROM videos FINAL")
        return {"seen": seen, "rows": counted[0]["videos"]}


def main() -> None:
    """Parameters of the process: home, proxy of YouTube, address of feeds and hub."""
    asyncio.run(serve(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))


async def serve(home: Path, proxy: str, web: str) -> None:
    """Do what the lines on stdin say, one answer a line."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever else prints, prints elsewhere
    here = Discovering(home, proxy, web)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        said = await here.do(json.loads(line))
        print(json.dumps(said), file=answers, flush=True)
    here.warehouse.close()
