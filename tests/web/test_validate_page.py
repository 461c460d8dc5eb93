"""People code the paragraphs of a sample on the page and over the API, blind, and see what follows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import examples
import httpx
import pytest
from page_process import client_of
from signed_in import csrf_in, signed_in, token_of

from agents.queries.registry import VIEWS
from streams.settings import Settings
from streams.store.warehouse import Warehouse

PAGE = "/curation/validate"


@pytest.fixture(scope="module")
def study(chdb_home: Any) -> Iterator[Warehouse]:
    """Yield a study with a sample of two paragraphs, of which Ann and Ben have coded one."""
    with Warehouse(Settings(home=chdb_home, study="validated_pages")) as warehouse:
        warehouse.migrate()
        examples.study(warehouse)
        yield warehouse


@pytest.fixture
async def ottilie(study: Warehouse) -> AsyncIterator[httpx.AsyncClient]:
    async with signed_in(study) as client:
        yield client


def coded(study: Warehouse, reviewer: str) -> list[list[str]]:
    return [row["topics"] for row in VIEWS["codings"](study) if row["reviewer"] == reviewer]


async def test_a_stranger_is_asked_to_sign_in(study: Warehouse) -> None:
    async with client_of(study) as client:
        shown = await client.get(PAGE)
        assert (shown.status_code, shown.headers["Location"]) == (303, "/login?next=%2Fcuration%2Fvalidate")
        assert (await client.post(PAGE, data={"paragraph_id": "p"})).status_code == 401
        assert (await client.post(f"{PAGE}/draw")).status_code == 401


async def test_topics_say_whether_they_are_validated(study: Warehouse) -> None:
    """Two paragraphs are too few to show that a topic is right more often than wrong."""
    async with client_of(study) as stranger:
        assert "not validated</a>" in (await stranger.get("/topics")).text
        page = (await stranger.get("/topics/1")).text
    assert "Not validated: " in page


async def test_a_paragraph_is_coded_on_the_page(study: Warehouse, ottilie: httpx.AsyncClient) -> None:
    page = (await ottilie.get(PAGE)).text
    assert "What is this paragraph about?" in page
    assert "0 of 2 paragraphs coded by you" in page
    assert "Ann" not in page, "what others said, and that they did, stays hidden"
    first = VIEWS["coding_queue"](study, reviewer="Ottilie")[0]["paragraph_id"]
    answer = {"paragraph_id": first, "note": "so I think", "csrf": csrf_in(page)}
    missing = await ottilie.post(PAGE, data=answer)
    assert missing.status_code == 422
    assert "tick what it is about, or None of these" in missing.text
    both = await ottilie.post(PAGE, data=answer | {"topics": ["rag", "none"]})
    assert both.status_code == 422
    assert "leave one of both out" in both.text
    saved = await ottilie.post(PAGE, data=answer | {"topics": "none"})
    assert (saved.status_code, saved.headers["Location"]) == (303, PAGE)
    assert coded(study, "Ottilie") == [[]]
    page = (await ottilie.get(PAGE)).text
    assert "1 of 2 paragraphs coded by you" in page
    assert "Results of the coding" in page


async def test_a_sample_is_drawn_on_the_page(study: Warehouse, ottilie: httpx.AsyncClient) -> None:
    token = csrf_in((await ottilie.get(PAGE)).text)
    sizes = {"counted": "5", "near": "2", "random": "0", "csrf": token}
    drawn = await ottilie.post(f"{PAGE}/draw", data=sizes)
    assert (drawn.status_code, drawn.headers["Location"]) == (303, f"{PAGE}?drawn=true")
    shown = (await ottilie.get(drawn.headers["Location"])).text
    assert "paragraphs are drawn" in shown
    nothing = await ottilie.post(f"{PAGE}/draw", data=sizes | {"counted": "0", "near": "0"})
    assert nothing.status_code == 422
    assert "the sample would be empty" in nothing.text
    refused = await ottilie.post(f"{PAGE}/draw", data=sizes | {"counted": "-1"})
    assert refused.status_code == 422


async def test_a_program_draws_and_codes(study: Warehouse) -> None:
    bearer = {"Authorization": f"Bearer {token_of(study, 'Robot')}"}
    async with client_of(study) as client:
        drawn = await client.post("/api/validation/draw", json={"counted": 3}, headers=bearer)
        assert drawn.status_code == 200, drawn.text
        queue = (await client.get("/api/coding_queue", params={"reviewer": "Robot"})).json()
        assert len(queue) == drawn.json()["paragraphs"]
        code = {"paragraph_id": queue[0]["paragraph_id"], "topics": ["rag"]}
        saved = await client.post("/api/validation/code", json=code, headers=bearer)
        assert saved.json() == code | {"reviewer": "Robot", "withdrawn": False}
        assert coded(study, "Robot") == [["rag"]]
        wrong = await client.post("/api/validation/code", json=code | {"topics": ["cooking"]}, headers=bearer)
        assert wrong.status_code == 422
        assert "'cooking' is not a topic" in wrong.json()["error"]
        gone = await client.post("/api/validation/code", json=code | {"withdrawn": True}, headers=bearer)
        assert gone.json()["withdrawn"]
        assert coded(study, "Robot") == []
        results = (await client.get("/api/validation", params={"format": "csv"})).text
        assert results.startswith("kind,topic_id,name,coded,counted")


async def test_trends_of_paragraphs_can_be_corrected(study: Warehouse) -> None:
    async with client_of(study) as stranger:
        plain = (await stranger.get("/trends", params={"of": "topics"})).text
        assert ">Corrected<" not in plain, "shares of talks cannot be corrected"
        counted = (await stranger.get("/trends", params={"of": "topics", "basis": "paragraphs"})).text
        assert ">Corrected<" in counted
        asked = {"of": "topics", "basis": "paragraphs", "errors": "corrected"}
        corrected = (await stranger.get("/trends", params=asked)).text
        assert "The shares are corrected for counting errors" in corrected
