"""Tests of /live: it streams a study's events, and costs nothing without listeners."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import studies
from engine_process import clickhouse
from live_events import alert, say_it
from page_process import web_of
from serving import served

from agents.runtime.process import Runtime
from agents.web import live as lives
from streams.settings import Settings
from streams.store.operations import change_feed
from streams.store.operations.change_feed import ChangeCursor
from streams.store.warehouse import Warehouse
from streams.store.writer import rows_of, write
from tests.processes import GIVE_UP_S, free_port

pytestmark = pytest.mark.long

e = studies.e


@pytest.fixture
def study(new_study: Warehouse) -> Warehouse:
    new_study.migrate()
    studies.small(new_study)
    return new_study


@pytest.fixture
def address(study: Warehouse) -> Iterator[str]:
    with served(web_of(study)) as url:
        yield url


@asynccontextmanager
async def listening(address: str, since: str = "") -> AsyncIterator[Any]:
    """Connect a client to /live; yield `told`, which awaits the next event."""
    async with (
        httpx.AsyncClient(timeout=60) as client,
        client.stream("GET", f"{address}/live", params={"since": since}) as answer,
    ):
        lines = answer.aiter_lines()

        async def told() -> tuple[str, str, str]:
            found: dict[str, str] = {}
            async for line in lines:
                name, _, value = line.partition(": ")
                found[name] = value
                if not line and "event" in found:
                    return found["event"], json.loads(found["data"])["said"], found.get("id", "")
            raise EOFError("the stream ended")

        told.answer = answer  # type: ignore[attr-defined]
        yield told


async def test_events_are_said_in_plain_words_and_come_at_once(address: str, study: Warehouse) -> None:
    async with listening(address) as told:
        assert told.answer.headers["content-type"].startswith("text/event-stream")
        assert "content-encoding" not in told.answer.headers, "a compressor would hold events back"
        assert (await told())[:2] == ("here", "")
        for index in range(6, 11):
            say_it(study, index, f"Talk number {index}")
        found = [await told()]
        while "number 10" not in found[-1][1]:
            found.append(await told())
        assert {kind for kind, _, _ in found} == {"talks"}
        assert sum(int(said.split()[0]) for _, said, _ in found) == 5
        decided = e.CodebookDecided(
            revision=2,
            model_version=studies.MODEL,
            action="rename",
            said="topic 1 is called Retrieval",
            entries=(),
            themes=(),
            author="Mai",
            decided_at=studies.TODAY,
        )
        write(study, rows_of(decided))
        kind, said, at = await told()
        assert kind == "codebook"
        assert "revision 2" in said
        assert "\u2068Mai\u2069: \u2068topic 1 is called Retrieval\u2069." in said
        assert ChangeCursor.read(at) == change_feed.change_cursor(study)


async def test_who_comes_back_hears_what_changed_since(address: str, study: Warehouse) -> None:
    async with listening(address) as told:
        _, _, at = await told()
        alert(study, "New topic: sails")
        assert (await told())[0] == "alerts"
        async with listening(address, at) as back:
            assert [(await back())[0] for _ in range(2)] == ["here", "alerts"]
        async with listening(address, "nonsense") as back:
            assert (await back())[0] == "here"
    alert(study, "New topic: masts")
    async with listening(address, at) as back:
        assert [(await back())[0] for _ in range(2)] == ["here", "alerts"], (
            "also when nobody looked meanwhile"
        )


async def test_nobody_listens_and_nobody_looks(study: Warehouse) -> None:
    looks = 0

    def look(before: ChangeCursor | None) -> tuple[ChangeCursor, list[lives.Happened]]:
        nonlocal looks
        looks += 1
        return lives.Looking(study)(before)

    refreshed = 0

    def refresh() -> None:
        nonlocal refreshed
        refreshed += 1
        raise RuntimeError("it cannot be asked again")

    live = lives.Live(look, pause_s=0.01, refresh=refresh)
    events = [live.listen() for _ in range(3)]
    for each in events:
        await anext(each)
    while looks < 3:
        await asyncio.sleep(0.01)
    assert live.listeners == 3
    assert refreshed >= looks - 1, "after every look, whatever comes of it"
    for each in events:
        await each.aclose()
    assert live.listeners == 0
    await asyncio.sleep(0.1)
    before = looks
    await asyncio.sleep(0.2)
    assert looks == before, "the last one out turns it off"


async def test_more_pages_than_can_be_told_are_refused_with_a_cure(study: Warehouse) -> None:
    web = web_of(study)
    web.state.live._most = 1
    with served(web) as url:
        async with listening(url) as told, httpx.AsyncClient(timeout=GIVE_UP_S) as client:
            await told()
            answer = await client.get(f"{url}/live")
            assert answer.status_code == 503
            assert "1 pages of this study are open" in answer.text
        async with listening(url) as told:
            assert (await told())[0] == "here", "there is room again"


async def test_a_page_that_does_not_listen_is_cut_off_and_others_go_on(study: Warehouse) -> None:
    def look(before: ChangeCursor | None) -> tuple[ChangeCursor, list[lives.Happened]]:
        return ChangeCursor("m", 1, 1, 1, 0, 0), [lives.Happened("talks", "again")]

    live = lives.Live(look, pause_s=0)
    deaf, attentive = live.listen(), live.listen()
    await anext(deaf)
    for _ in range(3 * lives.BEHIND):
        assert await anext(attentive)
    assert len([event async for event in deaf]) <= lives.BEHIND
    await attentive.aclose()


async def test_an_open_page_does_not_delay_the_end(chdb_home: Path) -> None:
    """If the server's shutdown timeout cut it off, the stream would end in the middle of a chunk."""
    settings = Settings(home=chdb_home, study="ends", web_port=0)
    with Warehouse(settings) as warehouse:
        warehouse.migrate()
    runtime = Runtime(settings, ())
    async with httpx.AsyncClient(timeout=60, trust_env=False) as client:
        async with runtime.serving():
            request = client.build_request("GET", f"{runtime.url}/live")
            answer = await client.send(request, stream=True)
            lines = answer.aiter_lines()
            while await anext(lines) != "event: here":
                pass
        assert "event: talks" not in [line async for line in lines], "it ended as it should"


async def test_the_stream_outlives_its_database(tmp_path: Path) -> None:
    port = free_port()
    settings = Settings(home=tmp_path, study="served", clickhouse=f"clickhouse://127.0.0.1:{port}")
    with Warehouse(settings, patience_s=10) as warehouse, served(web_of(warehouse)) as url:
        with clickhouse(tmp_path / "engine", port):
            warehouse.migrate()
            studies.small(warehouse)
            async with listening(url) as told:
                assert (await told())[0] == "here"
        async with listening(url) as told:
            kind, said, _ = await told()
            while kind != "database":
                kind, said, _ = await told()
            cause = f"cannot reach ClickHouse at 127.0.0.1:{port} (connection refused)"
            assert said == f"This page may be out of date: {cause}."
            with clickhouse(tmp_path / "engine", port):
                assert (await told())[:2] == ("database", "")
                say_it(warehouse, 6, "After the outage")
                kind, said, _ = await told()
                while kind == "here":
                    kind, said, _ = await told()
                assert (kind, said) == ("talks", "1 new talk: \u2068After the outage\u2069.")
