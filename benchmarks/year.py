"""A simulated year of discovery: is every upload found exactly once, and how soon, whatever breaks?

python benchmarks/year.py [--sources 50] [--uploads 5000] [--days 365] [--seed 7] [--out FILE.json]

Channels upload at random moments, each at its own pace. Four of five are pushed by a WebSub hub, which loses
one delivery in thirty; feeds lag by up to an hour. In the course of the year the hub is silent for a month
and forgets all leases, feeds answer 404 for six weeks, and YouTube takes the address for a bot three times,
for some hours each. Once a week the process that discovers is killed (SIGKILL) in the middle of its work.

What is real: the agent, yt-dlp, the governor, the reader of feeds, the subscriptions, ClickHouse, the kill.
What is simulated: the clock (nobody sleeps), YouTube and its feeds at the wire, and the hub's side of the
protocol; a real hub is in tests/ingestion/test_push.py. Not in it: screening and fetching.

Reported: uploads missed or stored twice; delay between publication and the first sighting, by the lane that
was first; requests to YouTube per video found, and the most in an hour against the 300 that a guest may make.
"""

from __future__ import annotations

import argparse
import asyncio
import heapq
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.machine import describe
from benchmarks.year_actor import Actor
from benchmarks.year_world import World
from tests.loopback_youtube import FakeVideo

BEGIN = datetime(2025, 1, 6, 9, tzinfo=UTC)
PUSHED = 0.8
"""Share of the channels that the hub tells of."""
LOST = 1 / 30
"""Share of deliveries that the hub loses."""
GUEST_LIMIT = 300
STORM_H = 5.0
SETTLE_D = 9
"""Days after the last upload until all has to be found."""


def uploads(sources: int, count: int, days: int, rng: random.Random) -> list[FakeVideo]:
    """Return so many videos of so many channels by moment of publication; each channel at its own pace."""
    pace = [rng.lognormvariate(0, 0.7) for _ in range(sources)]
    made = []
    for number in range(count):
        channel = number if number < sources else rng.choices(range(sources), pace)[0]
        first = number < sources  # it was there before anybody watched
        at = BEGIN - timedelta(days=1) if first else BEGIN + timedelta(days=rng.uniform(0.5, days - SETTLE_D))
        made.append(
            FakeVideo(
                f"v{number:06d}".ljust(11, "-"),
                f"Talk {number}: what we learned in production",
                channel=f"Channel {channel}",
                published_at=at.replace(microsecond=0),
                duration_s=1800,
                streamed=rng.random() < 0.15,
            )
        )
    return sorted(made, key=lambda video: video.published_at or BEGIN)


class Year:
    """Lets the year pass: what happens outside, and when the agent looks."""

    def __init__(self, sources: int, count: int, days: int, seed: int, home: Path) -> None:
        self.rng = random.Random(seed)
        self.days = days
        self.videos = uploads(sources, count, days, self.rng)
        self.end = BEGIN + timedelta(days=days)
        self.home = home
        self.events: list[tuple[datetime, int, str, Any]] = []
        self.requests: Counter[int] = Counter()
        self.kills = self.looks = self.paused = 0
        self.kill_next = False

    def at(self, moment: datetime, what: str, about: Any = None) -> None:
        """Let something happen at a moment."""
        heapq.heappush(self.events, (moment, len(self.events) + self.looks, what, about))

    def plan(self) -> None:
        """Spread uploads, outages, storms and kills over the year."""
        for video in self.videos:
            if (video.published_at or BEGIN) > BEGIN:
                self.at(video.published_at or BEGIN, "upload", video)
        day = timedelta(days=1)
        for what, first, length in (("hub", 0.30, 0.083), ("feeds", 0.55, 0.115)):
            self.at(BEGIN + self.days * first * day, f"{what} fails")
            self.at(BEGIN + self.days * (first + length) * day, f"{what} works")
        for share in (0.2, 0.5, 0.8):
            begin = BEGIN + self.days * share * day
            self.at(begin, "storm begins")
            self.at(begin + timedelta(hours=STORM_H), "storm ends")
        for week in range(1, self.days // 7):
            self.at(BEGIN + timedelta(days=7 * week, hours=self.rng.uniform(0, 24)), "kill")

    async def run(self) -> dict[str, Any]:
        """Let it pass; return what was found."""
        self.plan()
        with World() as self.world:
            for video in self.videos:
                self.world.introduce(video)
                if (video.published_at or BEGIN) < BEGIN:
                    self.world.publish(video)
                    self.world.feed(video)
            pushed = {channel for channel in sorted(self.world.channels) if self.rng.random() < PUSHED}
            self.world.hub_serves(pushed)
            self.actor = Actor(self.home, self.world)
            await self.actor.start(BEGIN)
            await self.actor.say({"do": "watch", "channels": sorted(self.world.channels)}, BEGIN)
            await self.pass_time()
            found = await self.actor.say({"do": "found"}, self.end)
            await self.actor.end()
        return self.judged(found, pushed)

    async def pass_time(self) -> None:
        """Handle what happens in order, and let the agent look whenever it wants to."""
        look_at = BEGIN
        shown = time.monotonic()
        while True:
            moment = min(look_at, self.events[0][0]) if self.events else look_at
            if moment >= self.end:
                return
            if time.monotonic() - shown > 20:
                shown = time.monotonic()
                print(f"{moment:%Y-%m-%d}: {self.looks} looks", file=sys.stderr, flush=True)
            if self.events and self.events[0][0] <= look_at:
                moment, _, what, about = heapq.heappop(self.events)
                await self.happen(moment, what, about)
                continue
            before = self.world.asked()
            said = await self.tell({"do": "look"}, moment)
            self.requests[int(moment.timestamp()) // 3600] += self.world.asked() - before
            await self.verify(moment)
            if said is not None:
                self.looks += 1
                self.paused += bool(said["paused"])
                look_at = max(datetime.fromisoformat(said["next"]), moment + timedelta(seconds=30))
            else:
                look_at = moment + timedelta(minutes=1)  # it was killed, and a supervisor restarted it

    async def happen(self, moment: datetime, what: str, about: Any) -> None:
        """Let one thing happen."""
        world, rng = self.world, self.rng
        match what:
            case "upload":
                world.publish(about)
                self.at(moment + timedelta(minutes=rng.uniform(1, 60)), "feed", about)
                if rng.random() >= LOST:
                    self.at(moment + timedelta(seconds=rng.uniform(1, 50)), "deliver", about)
            case "feed":
                world.feed(about)
            case "deliver":
                await self.deliver(moment, about)
            case "hub fails":
                world.hub_fails()
            case "hub works":
                world.hub_works()
            case "feeds fails":
                world.feeds_work = False
            case "feeds works":
                world.feeds_work = True
            case "storm begins":
                world.storm(True)
            case "storm ends":
                world.storm(False)
            case "kill":
                self.kill_next = True

    async def deliver(self, moment: datetime, video: FakeVideo) -> None:
        """Let the hub deliver, and once more where nobody answered, as hubs do."""
        delivery = self.world.delivery(video, moment)
        if delivery is not None and await self.tell({"do": "deliver"} | delivery, moment) is None:
            self.at(moment + timedelta(seconds=20), "deliver", video)

    async def verify(self, moment: datetime) -> None:
        """Let the hub verify what was asked of it."""
        for token, params in self.world.verifications(moment):
            said = await self.tell({"do": "verify", "token": token, "params": params}, moment)
            self.world.verified(token, said)

    async def tell(self, command: dict[str, Any], moment: datetime) -> dict[str, Any] | None:
        """Let the agent do something; None where it was killed in the middle of it."""
        if not self.kill_next:
            return await self.actor.say(command, moment)
        self.kill_next = False
        self.kills += 1
        await self.actor.killed_doing(command, moment, self.rng.uniform(0, 0.12))
        await self.actor.start(moment)
        return None

    def judged(self, found: dict[str, Any], pushed: set[str]) -> dict[str, Any]:
        """Return the figures."""
        published = {video.id: video.published_at or BEGIN for video in self.videos}
        first = {
            video_id: min((datetime.fromisoformat(at), lane) for lane, at in lanes.items())
            for video_id, lanes in found["seen"].items()
        }
        delays: dict[str, list[float]] = defaultdict(list)
        for video_id, (at, lane) in first.items():
            if video_id in published and published[video_id] > BEGIN:
                delays[lane].append((at - published[video_id]).total_seconds())
        rows = found["rows"]
        busiest = max(self.requests.values(), default=0)
        asked = sum(self.requests.values())
        return {
            "sources": len(self.world.channels),
            "pushed_sources": len(pushed),
            "uploads": len(published),
            "found": len(first.keys() & published.keys()),
            "missed": len(published.keys() - first.keys()),
            "unknown": len(first.keys() - published.keys()),
            "stored_twice": rows - len(first),
            "kills": self.kills,
            "looks": self.looks,
            "looks_paused": self.paused,
            "first_by_lane": {
                lane: {
                    "videos": len(each),
                    "median_s": round(median(each), 1),
                    "p95_s": round(sorted(each)[int(0.95 * (len(each) - 1))], 1),
                    "longest_h": round(max(each) / 3600, 2),
                }
                for lane, each in sorted(delays.items())
            },
            "requests": asked,
            "requests_per_found": round(asked / max(len(first), 1), 2),
            "requests_in_busiest_hour": busiest,
            "guest_limit": GUEST_LIMIT,
            "within_limit": busiest <= GUEST_LIMIT,
        }


def simulate(sources: int, count: int, days: int, seed: int, home: Path) -> dict[str, Any]:
    """Return the figures of one year."""
    return asyncio.run(Year(sources, count, days, seed, home).run())


def main() -> None:
    """Simulate, print a summary, and write the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sources", type=int, default=50)
    parser.add_argument("--uploads", type=int, default=5000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, help="write the figures here as JSON")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with tempfile.TemporaryDirectory(prefix="groundswell-year-") as home:
        began = time.monotonic()
        figures = simulate(given.sources, given.uploads, given.days, given.seed, Path(home))
        figures |= {"seconds": round(time.monotonic() - began), "machine": describe()}
    print(json.dumps({name: value for name, value in figures.items() if name != "machine"}, indent=2))
    if given.out:
        given.out.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
