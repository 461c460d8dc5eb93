"""Tests of offers on the page and over the API: many topics are placed by one decision, and by one undo."""

import html
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import studies
from page_process import Loaded, client_of, web_of
from signed_in import OURS, csrf_in, fields, signed_in, token_of
from studies import AGENTS, BORN, PART

from agents.queries.registry import VIEWS
from streams.settings import Settings
from streams.store.codebook.sql_fragments import UNSORTED
from streams.store.queries import prevalence
from streams.store.warehouse import Warehouse

COSTS, RISKS = "Costs", "Risks & Ethics"
OTHER = studies.UNSORTED
TICKED = {
    "topic": [OTHER, PART],
    "place": [f"{OTHER}=theme:{COSTS}", f"{PART}=into:{AGENTS}", f"{BORN}=theme:{RISKS}"],
}


@pytest.fixture(scope="module")
def curated(chdb_home: Any) -> Iterator[Warehouse]:
    with Warehouse(Settings(home=chdb_home, study="curated_offers")) as warehouse:
        warehouse.migrate()
        studies.unsorted(warehouse)
        yield warehouse


def newest(warehouse: Warehouse) -> int:
    revision: int = VIEWS["codebook_revision"](warehouse)["revision"]
    return revision


def videos(warehouse: Warehouse) -> dict[str, int]:
    return {row["theme"]: row["videos"] for row in prevalence.themes(warehouse)}


def plain(page: str) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", page)))


async def previewed(client: httpx.AsyncClient, **given: Any) -> httpx.Response:
    csrf = csrf_in((await client.get("/account")).text)
    return await client.post("/curation/suggestions", data={"csrf": csrf} | given)


async def undo(client: httpx.AsyncClient, revision: int) -> None:
    page = await client.get("/curation/preview", params={"action": "undo", "revision": revision})
    made = await client.post("/curation/decide", data=fields(page.text))
    assert made.status_code == 303, made.text


async def test_ticked_topics_are_placed_and_taken_back_at_once(curated: Warehouse) -> None:
    before, revision = videos(curated), newest(curated)
    async with signed_in(curated) as client:
        page = await previewed(client, **TICKED)
        assert page.status_code == 200, page.text
        assert "voice, calls, accents (31) belongs to Costs" in plain(page.text)
        assert "planner, tool calls, loops (32) counts for Agents (2)" in plain(page.text)
        assert (newest(curated), videos(curated)) == (revision, before), "a preview writes nothing"
        sent = fields(page.text)
        assert sent["place"] == TICKED["place"][:2], "only what is ticked"
        made = await client.post("/curation/suggestions/accept", data=sent | {"note": "as the talks say"})
        assert made.headers["Location"] == f"/curation?decided={revision + 1}"
        after = videos(curated)
        assert after[COSTS] == before[COSTS] + 4
        assert after["Architecture & Design"] == before["Architecture & Design"]
        assert after[UNSORTED] == before[UNSORTED] - 8
        foreseen = f"before {before[UNSORTED]} →, after {after[UNSORTED]}"
        assert foreseen in plain(page.text)
        (decision, *_) = VIEWS["codebook_decisions"](curated)
        assert (decision["action"], decision["note"]) == ("place", "as the talks say")
        assert decision["topic_ids"] == [OTHER, PART]
        told = await client.get(made.headers["Location"])
        assert f"action=undo&amp;revision={revision + 1}" in told.text
        await undo(client, revision + 1)
    assert videos(curated) == before


async def test_a_decision_made_meanwhile_is_shown_first(curated: Warehouse) -> None:
    before, revision = videos(curated), newest(curated)
    async with signed_in(curated) as client:
        sent = fields((await previewed(client, **TICKED)).text)
        rename = {"action": "rename", "topic_id": AGENTS, "name": "Agentic systems"}
        bearer = {"Authorization": f"Bearer {token_of(curated, 'Ann')}"}
        async with client_of(curated) as ann:
            await ann.post("/api/codebook/decide", json=rename, headers=bearer)
        page = await client.post("/curation/suggestions/accept", data=sent)
        assert page.status_code == 409
        assert "Agents (2) is called Agentic systems" in plain(page.text)
        assert "counts for Agentic systems (2)" in plain(page.text), "the preview as of now"
        assert (newest(curated), videos(curated)) == (revision + 1, before)
        made = await client.post("/curation/suggestions/accept", data=fields(page.text))
        assert made.headers["Location"] == f"/curation?decided={revision + 2}"
        await undo(client, revision + 2)
        await undo(client, revision + 1)
    assert videos(curated) == before


async def test_nothing_is_accepted_without_a_session_or_token(curated: Warehouse) -> None:
    revision = newest(curated)
    async with client_of(curated) as client:
        for path in ("/curation/suggestions", "/curation/suggestions/accept"):
            answer = await client.post(path, data=TICKED | {"expected": revision}, headers=OURS)
            assert answer.status_code in (401, 403)
    async with signed_in(curated) as client:
        answer = await client.post("/curation/suggestions/accept", data=TICKED | {"expected": revision})
        assert answer.status_code == 403, "without the form's CSRF token"
    assert newest(curated) == revision


async def test_programs_place_topics_at_once(curated: Warehouse) -> None:
    before, bearer = videos(curated), {"Authorization": f"Bearer {token_of(curated, 'Bot')}"}
    wish = {
        "action": "place",
        "placements": [{"topic_id": OTHER, "theme": RISKS}, {"topic_id": PART, "into": AGENTS}],
    }
    async with client_of(curated) as client:
        told = (await client.post("/api/codebook/preview", json=wish, headers=bearer)).json()
        assert videos(curated) == before
        made = await client.post(
            "/api/codebook/decide", json=wish | {"expected": told["revision"]}, headers=bearer
        )
        assert made.json()["said"] == told["said"]
        for each in told["themes"]:
            assert videos(curated)[each["name_after"]] == each["videos_after"]
        refused = await client.post("/api/codebook/decide", json={"action": "place"}, headers=bearer)
        assert (refused.status_code, refused.json()["error"]) == (422, "no topic is chosen")
        await client.post("/api/codebook/decide", json={"action": "undo"}, headers=bearer)
    assert videos(curated) == before


@pytest.mark.long
async def test_offers_say_why_and_are_ticked_from_a_confidence_on(curated: Warehouse) -> None:
    web = web_of(curated, parts=Loaded(curated))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url="http://localhost") as client:
        await client.post("/login", data={"token": token_of(curated)}, headers=OURS)
        page = (await client.get("/curation/suggestions")).text
        assert "8 of its 8 paragraphs are about Agents, in 4 talks; by chance" in plain(page)
        assert f'<option value="{PART}=into:{AGENTS}">part of Agents (68 %)</option>' in page
        assert page.count(" checked") == 0, "nothing is ticked for anybody"
        sure = {
            int(topic_id): int(percent)
            for topic_id, percent in re.findall(
                r'name="topic" value="(\d+)".*?data-label="Confidence">(\d+) %', page, re.DOTALL
            )
        }
        assert set(sure) == {BORN, OTHER, PART}
        ticked = (await client.get("/curation/suggestions?least=60")).text
        assert set(map(int, re.findall(r'value="(\d+)" checked', ticked))) == {
            topic_id for topic_id, percent in sure.items() if percent >= 60
        }
        data = {"csrf": csrf_in(page), "place": [f"{OTHER}=theme:{RISKS}"]}
        refused = await client.post("/curation/suggestions", data=data, headers=OURS)
        assert refused.status_code == 422 and "no topic is chosen" in plain(refused.text)
        again = await client.post("/curation/suggestions", data=data | {"topic": BORN}, headers=OURS)
        assert f"topic {BORN} has no place" in plain(again.text)
        assert f'value="{BORN}" checked' in again.text, "what was entered is kept"
        assert re.search(rf'<option value="{OTHER}=theme:{html.escape(RISKS)}" selected>', again.text)
