"""An agent of the test's choice at work on a real broker, and what it read and wrote."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, ClassVar

from agents.consumer.consumer import Agent, Consumer, Position
from agents.runtime.process import _start_app, _stop_app
from streams.events import Event, Sighting, Video, VideoAccepted, VideoSeen
from streams.kafka.admin import Cluster
from streams.kafka.app import Outlet, attach, build_app
from streams.kafka.codec import decode
from streams.kafka.security import client_options
from streams.kafka.topics import VIDEOS_SEEN, KafkaTopic
from streams.kafka.tracing import Tracing
from streams.settings import Settings
from streams.state.blobs import Blobs
from tests.processes import GIVE_UP_S

NOON = datetime(2025, 3, 4, 12, tzinfo=UTC)


def seen(video_id: str) -> VideoSeen:
    return VideoSeen(
        video=Video(video_id=video_id), sighting=Sighting(source_id="s", kind="file", seen_at=NOON)
    )


class Accept(Agent):
    """Accepts every video, unless the test sets another behaviour."""

    name: ClassVar[str] = "accept"
    reads: ClassVar[tuple[KafkaTopic, ...]] = (VIDEOS_SEEN,)

    def __init__(self, trouble: dict[str, Exception] | None = None) -> None:
        self.trouble = trouble or {}
        self.handled: list[str] = []
        self.settled: list[list[str]] = []
        self.sent_at: list[int] = []
        self._block: list[str] = []

    async def handle(self, event: Event, at: Position) -> Sequence[Event]:
        assert isinstance(event, VideoSeen)
        self.handled.append(event.key)
        if event.key in self.trouble:
            raise self.trouble[event.key]
        self._block.append(event.key)
        return [VideoAccepted(video=event.video)]

    async def commit(self) -> Sequence[Event]:
        self.settled.append(self._block)
        self._block = []
        return ()

    def on_outputs_sent(self) -> None:
        self.sent_at.append(len(self.settled))


@asynccontextmanager
async def working(
    settings: Settings,
    cluster: Cluster,
    agent: Agent,
    ceiling: int = 100,
    tracing: Tracing | None = None,
) -> Any:
    """Run an agent; yield the list of errors that would have ended the process."""
    fatal: list[BaseException] = []
    app = build_app(settings, f"{settings.study}.{agent.name}", settings.broker)
    stage = Consumer(
        agent,
        outlet=Outlet(app, settings, tracing),
        blobs=Blobs(settings.blobs_url),
        study=settings.study,
        log_ids=await asyncio.to_thread(cluster.log_ids),
        now=lambda: NOON,
        ceiling=ceiling,
        on_fatal=fatal.append,
        tracing=tracing,
    )
    attach(app, settings, agent.name, agent.reads, stage.run)
    await _start_app(app)
    try:
        yield fatal
    finally:
        await _stop_app(app, [stage])


async def until(true: Callable[[], bool | Awaitable[bool]]) -> None:
    for _ in range(int(GIVE_UP_S / 0.1)):
        answer = true()
        if (await answer) if isinstance(answer, Awaitable) else answer:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"it did not happen within {GIVE_UP_S:.0f} s")


def written(settings: Settings, topic: KafkaTopic) -> list[Event]:
    """Return all events of a topic, in order."""
    from kafka import KafkaConsumer, TopicPartition

    consumer = KafkaConsumer(
        bootstrap_servers=settings.broker, auto_offset_reset="earliest", **client_options(settings)
    )
    partition = TopicPartition(topic.full_name(settings.study), 0)
    consumer.assign([partition])
    end, found = consumer.end_offsets([partition])[partition], []
    while consumer.position(partition) < end:
        for records in consumer.poll(timeout_ms=300).values():
            found += [decode(record.value) for record in records]
    consumer.close()
    return found


async def committed(cluster: Cluster, settings: Settings, agent: Agent) -> int:
    lags = await asyncio.to_thread(cluster.lag, f"{settings.study}.{agent.name}", [VIDEOS_SEEN])
    return lags[0].committed
