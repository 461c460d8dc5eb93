"""People teach topics on the page and over the API: blind, one doubtful paragraph after another."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any

import examples
import httpx
import pytest
from page_process import client_of
from signed_in import csrf_in, signed_in, token_of
from studies import BORN

from agents.queries.registry import VIEWS
from streams import events as e
from streams.logs.concept_judgements import ConceptJudgements
from streams.settings import Settings
from streams.state.blobs import Blobs
from streams.store.warehouse import Warehouse
from streams.store.writer import rows_of, write

PAGE = "/curation/teach"


@pytest.fixture(scope="module")
def study(chdb_home: Any) -> Iterator[Warehouse]:
    """Yield a study with two doubtful paragraphs, and one judgement of Ann's about another."""
    with Warehouse(Settings(home=chdb_home, study="taught_pages")) as warehouse:
        warehouse.migrate()
        examples.study(warehouse)
        yield warehouse


@pytest.fixture
async def ottilie(study: Warehouse) -> AsyncIterator[httpx.AsyncClient]:
    async with signed_in(study) as client:
        yield client


def judged(study: Warehouse, reviewer: str) -> list[tuple[str, str]]:
    rows = VIEWS["concept_judgements"](study)
    return [(row["concept"], row["verdict"]) for row in rows if row["reviewer"] == reviewer]


def answer(page: str, verdict: str) -> dict[str, str]:
    said = {"topic_id": "1", "video_id": "a", "position": "0", "verdict": verdict, "note": "so I think"}
    return said | {"csrf": csrf_in(page)}


async def test_a_stranger_is_asked_to_sign_in(study: Warehouse) -> None:
    async with client_of(study) as client:
        shown = await client.get(PAGE)
        assert (shown.status_code, shown.headers["Location"]) == (303, "/login?next=%2Fcuration%2Fteach")
        assert (await client.post(PAGE, data={"topic_id": 1})).status_code == 401
        assert (await client.post(f"{PAGE}/refit")).status_code == 401


async def test_a_model_s_judgement_is_counted_and_not_shown(
    study: Warehouse, ottilie: httpx.AsyncClient
) -> None:
    before = (await ottilie.get(PAGE)).text
    assert "language model" not in before
    row = VIEWS["doubtful"](study, reviewer="Ottilie")[0]
    place = {name: row[name] for name in ("video_id", "paragraph_id", "concept")}
    when = datetime(2025, 6, 1, tzinfo=UTC)
    by = {"reviewer": "model:tiny", "note": "asked by Joel", "judged_at": when}
    write(study, rows_of(e.ConceptJudged(verdict="about", **place, **by)))
    page = (await ottilie.get(PAGE)).text
    assert "1 of them only by a language model, which counts half" in page
    assert "current probability 0.55" in page, "a person still judges it, blind"
    assert "tiny" not in page
    told = (await ottilie.get("/api/concept_judgements")).json()
    assert ("model:tiny", "about") in [(each["reviewer"], each["verdict"]) for each in told]


async def test_a_doubtful_paragraph_is_judged_on_the_page(
    study: Warehouse, ottilie: httpx.AsyncClient
) -> None:
    page = (await ottilie.get(PAGE)).text
    assert "Is this about" in page
    assert "a says it" in page
    assert "current probability 0.55" in page
    assert "a cloth" not in page, "what Ann said stays hidden"
    missing = await ottilie.post(PAGE, data=answer(page, ""))
    assert missing.status_code == 422
    assert "choose About or Not about" in missing.text
    saved = await ottilie.post(PAGE, data=answer(page, "not about"))
    assert (saved.status_code, saved.headers["Location"]) == (303, PAGE)
    assert judged(study, "Ottilie") == [("rag", "not about")]
    page = (await ottilie.get(PAGE)).text
    assert "h says how large" in page, "the next one"
    await ottilie.post(PAGE, data=answer(page, "not about") | {"video_id": "h"})
    page = (await ottilie.get(PAGE)).text
    assert "No paragraph is left to judge" in page
    assert "2 judgements by you" in page
    assert "language model" not in page, "what a person has judged is hers"


async def test_a_paragraph_that_does_not_exist_is_refused(
    study: Warehouse, ottilie: httpx.AsyncClient
) -> None:
    page = (await ottilie.get("/account")).text
    refused = await ottilie.post(PAGE, data=answer(page, "about") | {"position": "99"})
    assert refused.status_code == 422
    assert "there is no paragraph 99" in refused.text


async def test_without_agents_a_refit_says_what_to_start(ottilie: httpx.AsyncClient) -> None:
    page = (await ottilie.get(PAGE)).text
    refused = await ottilie.post(f"{PAGE}/refit", data={"csrf": csrf_in(page)})
    assert refused.status_code == 409
    assert "start it with groundswell run" in refused.text


async def test_the_api_judges_and_withdraws(study: Warehouse) -> None:
    wish = {"video_id": "a", "position": 0, "topic_id": 1, "verdict": "about", "note": "chunks"}
    async with client_of(study) as client:
        client.headers["Authorization"] = f"Bearer {token_of(study, 'Joel')}"
        made = await client.post("/api/concepts/judge", json=wish)
        assert made.status_code == 200, made.text
        told = made.json()
        assert (told["concept"], told["verdict"], told["reviewer"]) == ("rag", "about", "Joel")
        assert judged(study, "Joel") == [("rag", "about")]
        undone = await client.post("/api/concepts/judge", json=wish | {"verdict": "withdrawn"})
        assert undone.status_code == 200
        assert judged(study, "Joel") == []
        again = await client.post("/api/concepts/judge", json=wish | {"verdict": "withdrawn"})
        assert (again.status_code, set(again.json())) == (422, {"error", "cure"})
        born = await client.post("/api/concepts/judge", json=wish | {"topic_id": 99})
        assert born.status_code == 422
        refit = await client.post("/api/concepts/refit")
        assert refit.status_code == 409
        assert "groundswell run" in refit.json()["cure"]
    standing = ConceptJudgements(Blobs(study.settings.blobs_url)).standing()
    assert [event for event in standing if event.reviewer == "Joel"] == []


async def test_a_quote_is_judged_on_the_page_of_its_topic(
    study: Warehouse, ottilie: httpx.AsyncClient
) -> None:
    page = (await ottilie.get("/topics/1")).text
    assert "About Retrieval</button>" in page
    quote = VIEWS["quotes"](study, topic_id=1)[0]
    about = {"topic_id": "1", "video_id": quote["video_id"], "paragraph_id": quote["paragraph_id"]}
    answer = about | {"verdict": "about", "csrf": csrf_in(page)}
    saved = await ottilie.post(f"{PAGE}/quote", data=answer)
    assert (saved.status_code, saved.headers["Location"]) == (303, "/topics/1#best")
    assert ("rag", "about") in judged(study, "Ottilie")
    page = (await ottilie.get("/topics/1")).text
    assert "You said: about Retrieval." in page
    undone = await ottilie.post(f"{PAGE}/quote", data=answer | {"verdict": "withdrawn"})
    assert undone.status_code == 303
    assert ("rag", "about") not in judged(study, "Ottilie")
    wrong = await ottilie.post(f"{PAGE}/quote", data=answer | {"paragraph_id": "p"})
    assert wrong.status_code == 422
    assert "there is no paragraph p" in wrong.text


async def test_a_reader_and_a_born_topic_have_no_buttons(
    study: Warehouse, ottilie: httpx.AsyncClient
) -> None:
    async with client_of(study) as stranger:
        assert "Not about it</button>" not in (await stranger.get("/topics/1")).text
    assert "Not about it</button>" not in (await ottilie.get(f"/topics/{BORN}")).text
