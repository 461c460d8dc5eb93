"""Two trackers on a real broker: one learns, the other takes over, and together they are as one."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import platformdirs
import pytest

from agents.consumer.consumer import Position
from agents.topics.checkpoints import Checkpoints
from agents.topics.track import Track
from models.bundled_models import prepare
from models.codebook.codebook import load
from models.embedding.embedder import Embedder
from models.topics import TopicSettings
from streams.events import Event
from streams.kafka.admin import Cluster
from streams.kafka.topics import PARAGRAPHS_ASSIGNED, TOPICS_CHANGED
from streams.settings import Settings
from streams.state.blobs import Blobs
from tests.embedded_talks import embedded, split_talks
from tests.stream.agent_at_work import until, working, written

pytestmark = pytest.mark.long

COUNT = 6


async def test_a_stand_by_takes_over_from_where_the_other_was(
    settings: Settings, cluster: Cluster, tmp_path: Path
) -> None:
    models = prepare(platformdirs.user_cache_path("groundswell") / "models")
    embedder = Embedder(models.embedding, "cpu", 1, max_tokens=300)
    talks = split_talks(embedder, COUNT)

    def tracker(blobs: Blobs) -> Track:
        return Track(blobs, load("llm-in-production"), embedder, TopicSettings())

    alone = tracker(Blobs(str(tmp_path / "alone")))
    expected: list[Event] = [*await alone.start()]
    for number, event in enumerate(embedded(Blobs(str(tmp_path / "alone")), talks)):
        expected += await alone.handle(event, Position("log", "paragraphs.embedded", 0, number))

    blobs = Blobs(settings.blobs_url)
    events = embedded(blobs, talks)

    def reached() -> int:
        newest = Checkpoints(blobs, 0).newest()
        return newest.reached.next_offset if newest else 0

    one, other = tracker(blobs), tracker(blobs)
    async with AsyncExitStack() as first, AsyncExitStack() as second:
        troubles = [await first.enter_async_context(working(settings, cluster, one))]
        cluster.send(events[0])
        await until(lambda: reached() == 1)
        troubles.append(await second.enter_async_context(working(settings, cluster, other)))
        await until(lambda: hasattr(other, "_model"))
        cluster.send(events[1])
        cluster.send(events[2])
        await until(lambda: reached() == 3)
        await asyncio.sleep(2.5)  # longer than the commit interval: the broker knows that these are learned
        mine = (first, second) if one._next_offset == 3 else (second, first)
        await mine[0].aclose()
        for event in events[3:]:
            cluster.send(event)
        await until(lambda: reached() == COUNT)
        await until(lambda: len(once(settings)) == len({event.event_id for event in expected}))
        assert troubles == [[], []]
    assert once(settings) == {event.event_id: event for event in expected}


def once(settings: Settings) -> dict[str, Event]:
    """Return what the trackers said, each event once however often it was sent."""
    said = [*written(settings, PARAGRAPHS_ASSIGNED), *written(settings, TOPICS_CHANGED)]
    return {event.event_id: event for event in said}
