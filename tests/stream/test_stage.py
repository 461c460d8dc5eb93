"""Agents on both brokers: events are handled in order, none is lost, none is acknowledged too early."""

import asyncio
import base64
import errno
from collections.abc import Sequence
from contextlib import suppress
from typing import ClassVar

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from structlog.testing import capture_logs

from agents.alerting.alert import Alert
from agents.consumer.consumer import BatchPolicy, Position
from agents.consumer.dead_letter import traceback_key
from agents.topics.reader_lag import READERS, behind
from streams.errors import DataError, Fatal
from streams.events import (
    DeadLettered,
    Event,
    HealthChanged,
)
from streams.kafka.admin import Cluster
from streams.kafka.topics import DEAD_LETTERS, VIDEOS_ACCEPTED, VIDEOS_SEEN
from streams.kafka.tracing import Tracing
from streams.settings import Settings
from streams.state.blobs import Blobs
from tests.stream.agent_at_work import Accept, committed, seen, until, working, written
from tests.unit.test_events import QUOTED_DRIFT


class AcceptInBlocks(Accept):
    batch: ClassVar[BatchPolicy] = BatchPolicy(events=4, seconds=0.4)


@pytest.mark.long
async def test_what_is_under_way_is_what_some_reader_has_not_had(
    settings: Settings, cluster: Cluster
) -> None:
    def under_way() -> int:
        return behind(settings, settings.broker)

    assert await asyncio.to_thread(under_way) == 0
    cluster.send(HealthChanged(model_version="m", sequence=1, what="outliers", before=0.2, after=0.4))
    cluster.send(QUOTED_DRIFT)
    assert await asyncio.to_thread(under_way) == 2 * len(READERS)
    async with working(settings, cluster, Alert()):

        async def alerted() -> bool:
            return await asyncio.to_thread(under_way) == 2 * (len(READERS) - 1) + 1

        await until(alerted)  # two messages each for two readers, and one alert for one of them


async def test_events_flow_in_order_and_bad_ones_become_dead_letters(
    settings: Settings, cluster: Cluster
) -> None:
    cluster.send(seen("a"))
    cluster.send_raw(VIDEOS_SEEN, b"k", b"this is not JSON")
    cluster.send(seen("b"))
    cluster.send_raw(VIDEOS_SEEN, None, b'{"kind": "VideoSeen", "schema_version": 7}')
    cluster.send_raw(VIDEOS_SEEN, b"big", b"x" * 1_000_000)
    cluster.send(seen("poison"))
    cluster.send(seen("c"))
    agent = Accept({"poison": DataError("it is poison", "do not drink it")})
    with capture_logs() as logs:
        async with working(settings, cluster, agent) as fatal:

            async def all_committed() -> bool:
                return await committed(cluster, settings, agent) == 7

            await until(all_committed)
            assert fatal == []
    stages = [line for line in logs if line["event"] == "stage"]
    assert [(line["talk"], line["outcome"], line["log_level"]) for line in stages] == [
        ("a", "handled", "info"),
        (None, "dead_letter", "warning"),
        ("b", "handled", "info"),
        (None, "dead_letter", "warning"),
        (None, "dead_letter", "warning"),
        ("poison", "dead_letter", "warning"),
        ("c", "handled", "info"),
    ], "one line for each message"
    assert {line["stage"] for line in stages} == {"accept"}
    assert [line["offset"] for line in stages] == list(range(7))
    assert stages[0]["event_id"] == seen("a").event_id
    assert (stages[0]["led_to"], stages[0]["took_s"] < 5) == (["VideoAccepted"], True)
    assert (stages[5]["cause"], stages[5]["cure"]) == ("it is poison", "do not drink it")
    assert [event.key for event in written(settings, VIDEOS_ACCEPTED)] == ["a", "b", "c"]
    letters = [event for event in written(settings, DEAD_LETTERS) if isinstance(event, DeadLettered)]
    assert [(letter.offset, letter.cause) for letter in letters] == [
        (1, "the message is not JSON"),
        (3, "schema version 7 of VideoSeen is newer than this groundswell understands (1)"),
        (4, "the message has 1,000,000 bytes, over the limit of 900,000"),
        (5, "it is poison"),
    ]
    assert all(letter.cure for letter in letters)
    assert letters[0].payload == "dGhpcyBpcyBub3QgSlNPTg=="
    assert letters[2].payload_blob is not None
    assert Blobs(settings.blobs_url).read(letters[2].payload_blob) == b"x" * 1_000_000
    assert letters[3].video_id == "poison"


@pytest.mark.long
async def test_an_error_that_is_not_the_datas_acknowledges_nothing(
    settings: Settings, cluster: Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    for video_id in ("a", "b", "c"):
        cluster.send(seen(video_id))
    broken = Accept({"b": RuntimeError("the disk is full")})
    async with working(settings, cluster, broken, tracing=Tracing(provider)) as fatal:
        await until(lambda: bool(fatal))
        await asyncio.sleep(2.5)  # longer than the commit interval
        assert await committed(cluster, settings, broken) == 1
    assert "disk" in str(fatal[0])
    assert broken.handled == ["a", "b"]
    spans = [span for span in exporter.get_finished_spans() if span.name == "process accept"]
    assert [(span.status.is_ok, [event.name for event in span.events]) for span in spans] == [
        (True, ["handled"]),
        (False, ["exception"]),
    ]
    assert "ended span" not in caplog.text

    mended = Accept()
    async with working(settings, cluster, mended):
        await until(lambda: len(mended.handled) >= 2)
    assert mended.handled == ["b", "c"]
    assert [event.key for event in written(settings, VIDEOS_ACCEPTED)] == ["a", "b", "c"]


async def test_the_third_death_at_an_event_makes_it_a_dead_letter(
    settings: Settings, cluster: Cluster
) -> None:
    for video_id in ("a", "poison", "c"):
        cluster.send(seen(video_id))
    for _ in range(3):
        agent = Accept({"poison": TypeError("incompatible arguments")})
        async with working(settings, cluster, agent) as fatal:
            await until(lambda fatal=fatal: bool(fatal))
        assert agent.handled in (["a", "poison"], ["poison"]), "what was sent just before may come again"
    blobs = Blobs(settings.blobs_url)
    (mark,) = blobs.keys("attempts/accept")
    agent = Accept({"poison": TypeError("incompatible arguments")})
    async with working(settings, cluster, agent) as fatal:
        await until(lambda: not blobs.exists(mark))
        assert (fatal, agent.handled[-1:]) == ([], ["c"])
        assert "poison" not in agent.handled
    assert list(dict.fromkeys(event.key for event in written(settings, VIDEOS_ACCEPTED))) == ["a", "c"]
    (letter,) = (event for event in written(settings, DEAD_LETTERS) if isinstance(event, DeadLettered))
    cause = "groundswell failed on this three times (TypeError: incompatible arguments)"
    assert (letter.cause, letter.video_id) == (cause, "poison")
    told = blobs.get(traceback_key(letter.event_id)).decode()
    assert told.startswith("Traceback") and "in handle" in told

    # Once repaired, the replayed message is an event like any other.
    assert letter.payload is not None
    cluster.send_raw(VIDEOS_SEEN, b"poison", base64.b64decode(letter.payload))
    async with working(settings, cluster, mended := Accept()):
        await until(lambda: mended.handled == ["poison"])


@pytest.mark.long
async def test_what_is_around_an_event_may_fail_as_often_as_it_likes(
    settings: Settings, cluster: Cluster
) -> None:
    cluster.send(seen("a"))
    for _ in range(4):
        agent = Accept({"a": OSError(errno.ENOSPC, "No space left on device")})
        async with working(settings, cluster, agent) as fatal:
            await until(lambda fatal=fatal: bool(fatal))
        assert agent.handled == ["a"]
    assert list(Blobs(settings.blobs_url).keys("attempts")) == []
    assert written(settings, DEAD_LETTERS) == []


class DiesSettling(AcceptInBlocks):
    """Fails to commit a poisonous event, as when a database refuses a row."""

    async def commit(self) -> Sequence[Event]:
        if "poison" in self._block:
            self.settled.append(self._block)
            raise OverflowError("a month that no column holds")
        return await super().commit()


@pytest.mark.long
async def test_of_a_batch_that_cannot_commit_only_the_guilty_is_lost(
    settings: Settings, cluster: Cluster
) -> None:
    for video_id in ("a", "b", "poison", "c"):
        cluster.send(seen(video_id))
    settled = []
    for _ in range(3):
        agent = DiesSettling()
        async with working(settings, cluster, agent) as fatal:
            await until(lambda fatal=fatal: bool(fatal))
        settled.append(agent.settled)
    assert settled == [[["a", "b", "poison", "c"]], [["a"], ["b"], ["poison"]], [["poison"]]]
    async with working(settings, cluster, agent := DiesSettling()) as fatal:
        await until(lambda: "c" in agent.handled and bool(agent.sent_at))
        await until(lambda: not list(Blobs(settings.blobs_url).keys("attempts")))
        assert (fatal, agent.handled) == ([], ["c"])
    assert [event.key for event in written(settings, VIDEOS_ACCEPTED)] == ["a", "b", "c"]
    (letter,) = (event for event in written(settings, DEAD_LETTERS) if isinstance(event, DeadLettered))
    assert letter.video_id == "poison"


async def test_a_block_is_settled_when_full_or_by_the_clock(settings: Settings, cluster: Cluster) -> None:
    for number in range(6):
        cluster.send(seen(f"v{number}"))
    agent = AcceptInBlocks()
    async with working(settings, cluster, agent):
        await until(lambda: sum(len(block) for block in agent.settled) == 6)
        await until(lambda: agent.sent_at == [1, 2])
    assert agent.settled[0] == ["v0", "v1", "v2", "v3"]
    assert [event.key for event in written(settings, VIDEOS_ACCEPTED)] == [
        f"v{number}" for number in range(6)
    ]


async def test_a_bad_deploy_stops_instead_of_draining_the_topic(settings: Settings, cluster: Cluster) -> None:
    for number in range(12):
        cluster.send(seen(f"v{number}"))
    agent = Accept({f"v{number}": DataError("a bug", "mend it") for number in range(12)})
    async with working(settings, cluster, agent, ceiling=3) as fatal:
        await until(lambda: bool(fatal))
    assert isinstance(fatal[0], Fatal)
    assert "could not process 4 messages in a row" in fatal[0].cause
    assert len(agent.handled) == 4
    assert len(written(settings, DEAD_LETTERS)) == 3


@pytest.mark.long
async def test_a_worker_cut_off_in_the_middle_goes_on_where_it_was(
    settings: Settings, cluster: Cluster
) -> None:
    cut = 3
    for number in range(6):
        cluster.send(seen(f"v{number}"))
    slow = Accept()
    original = slow.handle

    async def handle(event: Event, at: Position) -> Sequence[Event]:
        outputs = await original(event, at)
        if len(slow.handled) > cut:
            await asyncio.sleep(60)
        return outputs

    slow.handle = handle  # type: ignore[method-assign]
    with suppress(asyncio.CancelledError):
        async with working(settings, cluster, slow):
            await until(lambda: len(slow.handled) > cut)
            await asyncio.sleep(2.5)
    fast = Accept()
    async with working(settings, cluster, fast):
        await until(lambda: "v5" in fast.handled)
    assert fast.handled == [f"v{number}" for number in range(cut, 6)]


class AcceptTogether(Accept):
    """Handles three events concurrently; the one that the test names blocks until it is released."""

    concurrency = 3

    def __init__(self, slow: str = "") -> None:
        super().__init__()
        self.slow = slow
        self.let = asyncio.Event()

    async def handle(self, event: Event, at: Position) -> Sequence[Event]:
        if event.key == self.slow:
            await self.let.wait()
        return await super().handle(event, at)


@pytest.mark.long
async def test_concurrent_events_are_sent_and_acknowledged_in_order(
    settings: Settings, cluster: Cluster
) -> None:
    for number in range(7):
        cluster.send(seen(f"v{number}"))
    agent = AcceptTogether(slow="v0")
    async with working(settings, cluster, agent) as fatal:
        await until(lambda: {"v1", "v2"} <= set(agent.handled))
        await asyncio.sleep(2.5)  # longer than the commit interval
        assert set(agent.handled) == {"v1", "v2"}, "no more than three are taken"
        assert await committed(cluster, settings, agent) == 0, "nothing overtakes the first"
        assert written(settings, VIDEOS_ACCEPTED) == []
        agent.let.set()

        async def all_committed() -> bool:
            return await committed(cluster, settings, agent) == 7

        await until(all_committed)
        assert fatal == []
    assert [event.key for event in written(settings, VIDEOS_ACCEPTED)] == [f"v{each}" for each in range(7)]


class AcceptAhead(AcceptTogether):
    """Takes eight events before the first is acknowledged; the one that the test names takes long."""

    ahead = 8

    def takes_long(self, event: Event) -> bool:
        return event.key == self.slow


@pytest.mark.long
async def test_what_takes_long_holds_up_nobody_else(settings: Settings, cluster: Cluster) -> None:
    others = [f"v{number}" for number in range(1, 7)]
    for video_id in ("v0", *others, "v0"):
        cluster.send(seen(video_id))

    def accepted() -> list[str]:
        return [event.key for event in written(settings, VIDEOS_ACCEPTED)]

    agent = AcceptAhead(slow="v0")
    async with working(settings, cluster, agent) as fatal:

        async def sent() -> bool:
            return len(await asyncio.to_thread(accepted)) == len(others)

        await until(sent)
        await asyncio.sleep(2.5)  # longer than the commit interval
        assert accepted() == others, "in order, but for the one that takes long and what follows it"
        assert await committed(cluster, settings, agent) == 0, "nothing that could be lost is committed"
        assert fatal == []

    again = AcceptAhead(slow="v0")  # as after a kill: everything comes again
    again.let.set()
    async with working(settings, cluster, again) as fatal:

        async def all_committed() -> bool:
            return await committed(cluster, settings, again) == 2 + len(others)

        await until(all_committed)
        assert fatal == []
    assert sorted(again.handled) == ["v0", "v0", *others]
    assert set(accepted()) == {"v0", *others}


@pytest.mark.long
async def test_a_concurrent_failure_acknowledges_nothing_behind_it(
    settings: Settings, cluster: Cluster
) -> None:
    for number in range(5):
        cluster.send(seen(f"v{number}"))
    agent = AcceptTogether()
    agent.trouble = {"v1": RuntimeError("the disk is full")}
    async with working(settings, cluster, agent) as fatal:
        await until(lambda: bool(fatal))
        await asyncio.sleep(2.5)
        assert await committed(cluster, settings, agent) == 1
    assert "disk" in str(fatal[0])
    again = AcceptTogether()
    async with working(settings, cluster, again):
        await until(lambda: len(again.handled) == 4)
    assert sorted(again.handled) == ["v1", "v2", "v3", "v4"]
