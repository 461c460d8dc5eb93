"""Tests of the codebook at scale: topics are found, ticked, and decided about together."""

import html
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
import studies
from page_process import client_of
from signed_in import csrf_in, fields, signed_in
from studies import AGENTS, BORN, PART

from agents.queries.registry import VIEWS
from streams.settings import Settings
from streams.store.warehouse import Warehouse

OTHER = studies.UNSORTED
SEVERAL = "/curation/several"


@pytest.fixture(scope="module")
def curated(chdb_home: Any) -> Iterator[Warehouse]:
    with Warehouse(Settings(home=chdb_home, study="curated_several")) as warehouse:
        warehouse.migrate()
        studies.unsorted(warehouse)
        yield warehouse


@pytest.fixture
async def ottilie(curated: Warehouse) -> AsyncIterator[httpx.AsyncClient]:
    async with signed_in(curated) as client:
        yield client


def plain(page: str) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", page)))


def ticks(page: str) -> dict[int, bool]:
    """Return the topics that can be ticked, and whether they are."""
    found = re.findall(r'<input type="checkbox" name="topic_ids" value="(\d+)"[^>]*?( checked)?>', page)
    return {int(topic_id): bool(checked) for topic_id, checked in found}


async def confirm(client: httpx.AsyncClient, preview: httpx.Response) -> None:
    assert preview.status_code == 200, preview.text
    to = re.search(r'<form class="decide confirm"[^>]* action="([^"]+)"', preview.text)
    assert to, preview.text
    made = await client.post(to[1], data=fields(preview.text))
    assert made.status_code == 303, made.text


async def undo(client: httpx.AsyncClient, curated: Warehouse) -> None:
    revision = VIEWS["codebook_revision"](curated)["revision"]
    await confirm(
        client, await client.get("/curation/preview", params={"action": "undo", "revision": revision})
    )


async def test_topics_are_found_by_name_word_and_number(ottilie: httpx.AsyncClient) -> None:
    every = ticks((await ottilie.get("/curation")).text)
    assert len(every) > 20 and not any(every.values())
    page = (await ottilie.get("/curation", params={"find": "ACCENTS"})).text
    assert ticks(page) == {OTHER: False}
    assert ticks((await ottilie.get("/curation", params={"find": str(PART)})).text) == {PART: False}
    page = (await ottilie.get("/curation", params={"find": "born", "tick": "all"})).text
    assert ticks(page) == {} and "No topic has “born”" in plain(page)
    ticked = ticks((await ottilie.get("/curation", params={"find": "voice", "tick": "all"})).text)
    assert ticked and all(ticked.values())


async def test_ticked_topics_go_into_a_theme_at_once(curated: Warehouse, ottilie: httpx.AsyncClient) -> None:
    page = await ottilie.get(SEVERAL, params={"topic_ids": [OTHER, BORN], "theme": "Costs"})
    assert "voice, calls, accents (31)" in plain(page.text) and "belongs to Costs" in plain(page.text)
    assert VIEWS["topic"](curated, topic_id=OTHER)["theme"] != "Costs", "a preview writes nothing"
    await confirm(ottilie, page)
    assert {VIEWS["topic"](curated, topic_id=each)["theme"] for each in (OTHER, BORN)} == {"Costs"}
    await undo(ottilie, curated)


@pytest.mark.parametrize("typed", ["Agents", f"Agents ({AGENTS})", str(AGENTS)])
async def test_they_are_merged_into_a_topic_that_is_typed(
    curated: Warehouse, ottilie: httpx.AsyncClient, typed: str
) -> None:
    await confirm(ottilie, await ottilie.get(SEVERAL, params={"topic_ids": [PART, OTHER], "into": typed}))
    assert {VIEWS["topic"](curated, topic_id=each)["topic_id"] for each in (PART, OTHER)} == {AGENTS}
    await undo(ottilie, curated)


async def test_they_are_excluded_for_a_reason(curated: Warehouse, ottilie: httpx.AsyncClient) -> None:
    await confirm(ottilie, await ottilie.get(SEVERAL, params={"topic_ids": [PART, OTHER], "reason": "mixed"}))
    assert not any(VIEWS["topic"](curated, topic_id=each)["retained"] for each in (PART, OTHER))
    await undo(ottilie, curated)


@pytest.mark.parametrize(
    ("given", "cause"),
    [
        ({"theme": "Costs"}, "no topic is ticked"),
        ({"topic_ids": [PART]}, "nothing is to be done"),
        ({"topic_ids": [PART], "theme": "Costs", "reason": "mixed"}, "more than one thing"),
        ({"topic_ids": [PART], "into": "Nobody's topic"}, "no topic is called"),
        ({"topic_ids": [PART], "into": str(PART)}, "itself"),
        ({"topic_ids": [PART], "theme": "Nobody's theme"}, "there is no theme"),
    ],
)
async def test_what_is_not_possible_is_said_and_nothing_typed_is_lost(
    ottilie: httpx.AsyncClient, given: dict[str, Any], cause: str
) -> None:
    page = await ottilie.get(SEVERAL, params=given)
    assert page.status_code == 422 and cause in plain(page.text)
    assert [each for each, ticked in ticks(page.text).items() if ticked] == given.get("topic_ids", [])
    if into := given.get("into"):
        assert f'name="into" value="{html.escape(into)}"' in page.text.replace("&#39;", "&#x27;")


async def test_only_curators_decide(curated: Warehouse) -> None:
    async with client_of(curated) as stranger:
        assert ticks((await stranger.get("/curation")).text) == {}
        asked = await stranger.get(SEVERAL, params={"topic_ids": [PART, OTHER], "theme": "Costs"})
        assert asked.status_code == 303
        back = f"topic_ids%3D{PART}%26topic_ids%3D{OTHER}"
        assert back in asked.headers["Location"], "the form is filled in again after signing in"


@pytest.mark.parametrize("number", ["0", "-1", "4294967296", "x"])
async def test_a_number_that_is_none_of_a_topic_is_refused(ottilie: httpx.AsyncClient, number: str) -> None:
    asked = await ottilie.get(SEVERAL, params={"topic_ids": number, "theme": "Costs"})
    csrf = csrf_in((await ottilie.get("/account")).text)
    sent = {"csrf": csrf, "topic": number, "place": f"{number}=theme:Costs"}
    offered = await ottilie.post("/curation/suggestions", data=sent)
    assert (asked.status_code, offered.status_code) == (422, 422)
    assert "What to do" in asked.text and "What to do" in offered.text
