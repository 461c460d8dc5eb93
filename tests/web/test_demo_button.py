"""Tests of the button that starts the demo from the page of an empty study."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from page_process import client_of
from signed_in import csrf_in, signed_in

from agents.instance.background import DEMO
from agents.instance.running_instance import serving
from streams.settings import Settings
from streams.store.warehouse import Warehouse
from tests.processes import GIVE_UP_S, Study

BUTTON = "<button>Start the demo</button>"


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Warehouse]:
    """Yield a study without talks, in a home of its own."""
    with Warehouse(Settings(home=Study(tmp_path).home, study="main")) as warehouse:
        warehouse.migrate()
        yield warehouse


async def press(client: httpx.AsyncClient) -> httpx.Response:
    return await client.post("/demo", data={"csrf": csrf_in((await client.get("/")).text)})


async def until_it_says(client: httpx.AsyncClient, text: str) -> str:
    """Return the empty study's page as soon as the text is on it."""
    deadline = time.monotonic() + GIVE_UP_S
    while text not in (page := (await client.get("/")).text):
        assert time.monotonic() < deadline, page
        await asyncio.sleep(0.5)
    return page


async def test_only_a_curator_at_this_machine_is_offered_it(empty: Warehouse) -> None:
    async with client_of(empty) as reader:
        page = (await reader.get("/")).text
    assert BUTTON not in page and "sign in to start it here" in page
    async with signed_in(empty) as curator:
        assert BUTTON in (await curator.get("/")).text
    elsewhere = empty.settings.model_copy(update={"web_host": "0.0.0.0"})
    with Warehouse(elsewhere) as served_to_all:
        async with signed_in(served_to_all) as curator:
            page = (await curator.get("/")).text
            assert BUTTON not in page and "Run <code>groundswell demo</code>." in page
            answer = await press(curator)
    assert answer.status_code == 409 and "run groundswell demo on your own machine" in answer.text


async def test_why_it_did_not_start_is_said_and_it_can_be_tried_again(
    empty: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROUNDSWELL_PARTITIONS", "0")
    async with signed_in(empty) as client:
        pressed = await press(client)
        assert (pressed.status_code, pressed.headers["Location"]) == (303, "/#demo")
        page = await until_it_says(client, "The demo ended:")
    assert "GROUNDSWELL_PARTITIONS" in page and "groundswell doctor" in page
    assert BUTTON in page


@pytest.mark.long
async def test_it_starts_once_and_its_page_is_a_click_away(empty: Warehouse) -> None:
    demo = empty.settings.model_copy(update={"study": DEMO})
    try:
        async with signed_in(empty) as client:
            await press(client)
            assert "The demo is starting" in (await client.get("/")).text
            page = await until_it_says(client, "Open the demo</a>")
            running = serving(demo)
            assert running is not None and f'<a href="{running.url}" hx-boost="false">' in page
            async with httpx.AsyncClient(trust_env=False, timeout=GIVE_UP_S) as other:
                assert DEMO in (await other.get(running.url)).text
            await client.post("/demo", data={"csrf": csrf_in((await client.get("/files")).text)})
            assert serving(demo) == running, "a second press starts nothing"
    finally:
        assert Study(empty.settings.home, DEMO).cli("stop").returncode == 0
