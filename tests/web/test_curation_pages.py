"""Tests of curation on the page and over the API: accurate previews, and conflicts without lost decisions."""

import html
import random
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
import studies
from page_process import client_of
from signed_in import csrf_in, signed_in, token_of
from studies import BORN, EMOJI, LONG, RIGHT_TO_LEFT, SCRIPT

from agents.curation.codebook_service import standing_of
from agents.curation.decision_preview import book_of
from agents.queries.registry import VIEWS
from models.codebook.file_format import read
from streams import events as e
from streams.logs.codebook_log import CodebookLog
from streams.settings import Settings
from streams.state.blobs import Blobs
from streams.store import writer
from streams.store.codebook.effective import book
from streams.store.queries import prevalence
from streams.store.warehouse import Warehouse

RAG, AGENTS, MEMORY, INTERFACES = 1, 2, 3, 4


@pytest.fixture(scope="module")
def curated(chdb_home: Any) -> Iterator[Warehouse]:
    """Yield a study of two years without any decisions."""
    with Warehouse(Settings(home=chdb_home, study="curated_pages")) as warehouse:
        warehouse.migrate()
        studies.lively(warehouse)
        yield warehouse


@pytest.fixture
async def ottilie(curated: Warehouse) -> AsyncIterator[httpx.AsyncClient]:
    async with signed_in(curated) as client:
        yield client


def bearer(warehouse: Warehouse, name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token_of(warehouse, name)}"}


def newest(warehouse: Warehouse) -> int:
    revision: int = VIEWS["codebook_revision"](warehouse)["revision"]
    return revision


def numbers(warehouse: Warehouse) -> dict[str, dict[Any, tuple[int, float]]]:
    """Return the videos and share of every theme and topic, as every page counts them."""
    return {
        "themes": {row["theme"]: (row["videos"], row["share"]) for row in prevalence.themes(warehouse)},
        "topics": {row["topic_id"]: (row["videos"], row["share"]) for row in prevalence.topics(warehouse)},
    }


def fields(page: str) -> dict[str, str]:
    """Return the fields that a preview's form sends without any input."""
    form = re.search(r'<form class="decide confirm".*?</form>', page, re.DOTALL)
    assert form, page
    found = re.findall(r'<input[^>]* name="([^"]+)"[^>]* value="([^"]*)"', form[0])
    return {name: html.unescape(value) for name, value in found}


async def confirm(client: httpx.AsyncClient, note: str = "", **wish: Any) -> httpx.Response:
    """Open the preview of a decision and confirm it, as a browser does."""
    page = await client.get("/curation/preview", params=wish)
    assert page.status_code == 200, page.text
    return await client.post("/curation/decide", data=fields(page.text) | {"note": note})


def wishes(chance: random.Random, standing: Any) -> Iterator[dict[str, Any]]:
    """Yield decisions, most of which are valid."""
    topics, themes = sorted(standing.topics), sorted(standing.themes)
    topic_id, other = chance.sample(topics, 2)
    yield {"action": "merge", "topic_id": topic_id, "into": other}
    yield {"action": "exclude", "topic_id": chance.choice(topics), "reason": "no one subject"}
    yield {"action": "include", "topic_id": chance.choice(topics)}
    yield {"action": "split", "topic_id": chance.choice(topics)}
    yield {"action": "assign", "topic_id": chance.choice(topics), "theme": chance.choice([*themes, ""])}
    yield {"action": "assign", "topic_id": chance.choice(topics), "new_theme": f"Theme {chance.random()}"}
    yield {"action": "rename", "topic_id": chance.choice(topics), "name": f"Topic {chance.random()}"}
    yield {"action": "rename theme", "theme": chance.choice(themes), "name": f"Called {chance.random()}"}
    yield {"action": "undo"}


@pytest.mark.long
async def test_what_a_preview_says_is_what_holds_after_confirming(curated: Warehouse) -> None:
    headers, chance, decided = bearer(curated, "Ottilie"), random.Random(5), 0
    async with client_of(curated) as client:
        for _ in range(2):
            for wish in wishes(chance, standing_of(VIEWS["codebook_standing"](curated))):
                before = numbers(curated)
                answer = await client.post("/api/codebook/preview", json=wish, headers=headers)
                assert answer.status_code in (200, 422), answer.text
                if answer.status_code == 422:
                    assert set(answer.json()) == {"error", "cure"}
                    assert numbers(curated) == before
                    continue
                told = answer.json()
                assert numbers(curated) == before, "a preview writes nothing"
                made = await client.post(
                    "/api/codebook/decide", json=wish | {"expected": told["revision"]}, headers=headers
                )
                assert made.status_code == 200, made.text
                assert made.json()["said"] == told["said"]
                after, decided = numbers(curated), decided + 1
                foreseen = {
                    each["name_after"]: (each["videos_after"], each["share_after"])
                    for each in told["themes"]
                    if each["name_after"]
                }
                gone = {each["name"] for each in told["themes"]}
                kept = {name: row for name, row in before["themes"].items() if name not in gone}
                assert foreseen.items() <= after["themes"].items(), wish
                assert {name: row[0] for name, row in (kept | foreseen).items()} == {
                    name: row[0] for name, row in after["themes"].items()
                }, "nothing else changed"
                names = {row["topic_id"]: row["name"] for row in prevalence.topics(curated)}
                for each in told["topics"]:
                    if each["name_after"]:
                        (topic_id,) = [one for one, name in names.items() if name == each["name_after"]]
                        assert after["topics"][topic_id] == (each["videos_after"], each["share_after"])
                assert sum(row[0] for row in after["topics"].values()) - sum(
                    row[0] for row in before["topics"].values()
                ) == sum(each["videos_after"] - each["videos"] for each in told["topics"])
                standing = standing_of(VIEWS["codebook_standing"](curated))
                assert book_of(standing) == book(curated), "the preview's codebook is the engine's"
    assert decided >= 8


@pytest.mark.long
async def test_a_decision_is_previewed_confirmed_and_taken_back(
    curated: Warehouse, ottilie: httpx.AsyncClient
) -> None:
    before, revision = numbers(curated), newest(curated)
    page = await ottilie.get("/curation/preview?action=exclude&topic_id=21&reason=greetings")
    assert "mcp, server, protocol (21)" in page.text and "no longer counts" in page.text
    assert f"The decision becomes revision {revision + 1}" in page.text
    assert newest(curated) == revision and numbers(curated) == before

    answer = await confirm(ottilie, "we agreed", action="exclude", topic_id=BORN, reason="greetings")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/curation?decided={revision + 1}")
    page = await ottilie.get(answer.headers["Location"])
    assert f"Revision {revision + 1} saved:" in page.text
    assert "All numbers are up to date." in page.text
    assert BORN not in numbers(curated)["topics"]

    undo = await confirm(ottilie, action="undo", revision=revision + 1)
    assert undo.headers["Location"] == f"/curation?decided={revision + 2}"
    assert numbers(curated) == before
    history = (await ottilie.get("/curation/history")).text
    assert "we agreed" in history
    assert f'undone by <a href="#revision-{revision + 2}">' in history
    assert f'href="/?codebook={revision + 1}"' in history
    past = await ottilie.get(f"/curation?codebook={revision + 1}")
    assert f"the newest is {revision + 2}" in past.text
    assert ">Decide<" not in past.text
    (last,) = VIEWS["codebook_decisions"](curated, limit=1)
    assert (last["author"], last["undoes"]) == ("Ottilie", revision + 1)


async def test_of_two_tabs_the_second_is_told_and_nothing_is_lost(curated: Warehouse) -> None:
    async with signed_in(curated, "Ottilie") as one, signed_in(curated, "Joel") as other:
        revision = newest(curated)
        wish = {"action": "rename", "topic_id": MEMORY}
        first = fields((await one.get("/curation/preview", params=wish | {"name": "What it keeps"})).text)
        second = fields((await other.get("/curation/preview", params=wish | {"name": "Sessions"})).text)
        assert first["expected"] == second["expected"] == str(revision)
        assert (await one.post("/curation/decide", data=first | {"note": "shorter"})).status_code == 303

        clash = await other.post("/curation/decide", data=second | {"note": "from the talks"})
        assert clash.status_code == 409
        assert newest(curated) == revision + 1, "nothing was overwritten"
        assert "Nothing was changed" in clash.text
        for told in ("is called What it keeps", "Ottilie", "shorter", "is called Sessions"):
            assert told in clash.text
        again = fields(clash.text)
        assert again["note"] == "from the talks", "what was written is kept"
        assert again["expected"] == str(revision + 1)
        assert (await other.post("/curation/decide", data=again)).status_code == 303, "one click"
        said = [row["said"] for row in VIEWS["codebook_decisions"](curated, limit=2)]
        assert [text.split(" is called ")[1] for text in said] == ["Sessions", "What it keeps"]

        gone = fields(
            (await one.get("/curation/preview", params={"action": "create theme", "name": "Two"})).text
        )
        await confirm(other, action="create theme", name="two")
        clash = await one.post("/curation/decide", data=gone)
        assert clash.status_code == 409
        assert (
            "is no longer possible" in clash.text and "there is a theme &#39;two&#39; already" in clash.text
        )
        assert '<form class="decide confirm"' not in clash.text


async def test_the_api_says_a_conflict_with_the_newest_revision(curated: Warehouse) -> None:
    headers = bearer(curated, "Ottilie")
    wish = {"action": "rename", "topic_id": INTERFACES, "name": "Screens"}
    async with client_of(curated) as client:
        revision = newest(curated)
        ahead = await client.post("/api/codebook/decide", json=wish | {"expected": 99}, headers=headers)
        assert ahead.status_code == 422
        assert (await client.post("/api/codebook/decide", json=wish, headers=headers)).status_code == 200
        clash = await client.post(
            "/api/codebook/decide", json=wish | {"name": "Views", "expected": revision}, headers=headers
        )
        assert clash.status_code == 409
        assert clash.json()["revision"] == revision + 1
        assert "is called Screens" in clash.json()["error"]
        assert set(clash.json()) == {"error", "cure", "revision"}
        assert newest(curated) == revision + 1
        without = await client.post("/api/codebook/decide", json=wish)
        assert without.status_code == 401
        wrong = await client.post("/api/codebook/decide", json={"action": "burn"}, headers=headers)
        assert wrong.status_code == 422 and set(wrong.json()) == {"error", "cure"}
        paths = (await client.get("/openapi.json")).json()
        described = paths["paths"]["/api/codebook/decide"]["post"]
        assert {"200", "401", "403", "409", "422", "429", "503"} <= set(described["responses"])
        assert described["security"] == [{"token": []}]
        assert paths["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
        assert Blobs(curated.settings.blobs_url) and CodebookLog(
            Blobs(curated.settings.blobs_url)
        ).latest() == (revision + 1)


@pytest.mark.long
@pytest.mark.parametrize(
    "name", [SCRIPT, RIGHT_TO_LEFT.replace("\u202e", ""), EMOJI, '"><img src=x onerror=a>', "%2e&x=1"]
)
async def test_hostile_names_are_text(curated: Warehouse, ottilie: httpx.AsyncClient, name: str) -> None:
    answer = await confirm(ottilie, name, action="assign", topic_id=AGENTS, new_theme=name)
    assert answer.status_code == 303
    await confirm(ottilie, action="exclude", topic_id=AGENTS, reason=name)
    for path in (
        answer.headers["Location"],
        "/curation/history",
        f"/curation/topics/{AGENTS}",
        "/curation/review",
        "/curation/preview?action=include&topic_id=2",
    ):
        page = (await ottilie.get(path)).text
        assert "<script>alert" not in page and "<img src=x" not in page
    page = await ottilie.get("/curation/theme", params={"name": name})
    assert page.status_code == 200
    assert html.escape(name).replace("&quot;", "&#34;").replace("&#x27;", "&#39;") in page.text
    exported = read((await ottilie.get("/curation/codebook.yaml")).text, "the export")
    assert name in [each.name for each in exported.themes or ()]
    await confirm(ottilie, action="include", topic_id=AGENTS)


@pytest.mark.long
@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"action": "rename", "topic_id": RAG, "name": LONG[:9000]}, "over the limit of 200"),
        ({"action": "rename", "topic_id": RAG, "name": "  "}, "the name of the topic is empty"),
        ({"action": "rename", "topic_id": RAG, "name": "a\x00b"}, "control characters"),
        ({"action": "exclude", "topic_id": RAG, "reason": ""}, "the reason is empty"),
        ({"action": "merge", "topic_id": RAG}, "the topic to merge into is missing"),
        ({"action": "merge", "topic_id": RAG, "into": RAG}, "cannot be merged into itself"),
        ({"action": "merge", "topic_id": RAG, "into": 4_000_000_000}, "there is no topic 4000000000"),
        ({"action": "assign", "topic_id": RAG, "theme": "Nowhere at all"}, "there is no theme"),
        ({"action": "create theme", "name": "Costs"}, "there is a theme &#39;Costs&#39; already"),
        ({"action": "remove theme", "theme": "Costs"}, "Costs has topics"),
        ({"action": "undo", "revision": 99_999}, "there is no revision 99999"),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_what_cannot_be_decided_is_said_where_it_was_asked(
    curated: Warehouse, ottilie: httpx.AsyncClient, wish: dict[str, Any], said: str
) -> None:
    revision = newest(curated)
    page = await ottilie.get("/curation/preview", params=wish)
    assert page.status_code == 422
    assert said in page.text and "What to do:" in page.text
    word = csrf_in((await ottilie.get("/account")).text)
    sent = await ottilie.post("/curation/decide", data=wish | {"csrf": word, "expected": revision})
    assert sent.status_code == 422
    assert said in sent.text
    assert newest(curated) == revision


@pytest.mark.parametrize(
    "query", ["action=burn", "", "action=rename&topic_id=x", "action=rename&topic_id=-1"]
)
async def test_an_address_that_is_no_wish_is_an_error_page(ottilie: httpx.AsyncClient, query: str) -> None:
    page = await ottilie.get(f"/curation/preview?{query}")
    assert page.status_code == 422 and "What to do:" in page.text


async def test_an_unknown_topic_theme_and_revision_are_said(ottilie: httpx.AsyncClient) -> None:
    for path, code in (
        ("/curation/topics/999", 404),
        ("/curation/topics/999/evidence", 404),
        ("/curation/theme?name=Nowhere", 404),
        ("/curation?codebook=999", 422),
        ("/curation?decided=999", 200),
        ("/curation/preview?action=rename&topic_id=999&name=x", 404),
    ):
        assert (await ottilie.get(path)).status_code == code, path


@pytest.mark.long
async def test_reviewers_are_blind_until_they_judged_and_see_kappa(curated: Warehouse) -> None:
    judged = {"Ottilie": "iiiieeie", "Joel": "iieeeeii"}
    before = numbers(curated), newest(curated)
    async with signed_in(curated, "Joel") as joel, signed_in(curated, "Ottilie") as ottilie:
        for client, name in ((ottilie, "Ottilie"), (joel, "Joel")):
            for letter in judged[name]:
                page = (await client.get("/curation/review")).text
                assert "only Ottilie knows" not in page and "excluded" not in page.split("<main")[1]
                topic = re.search(r'name="topic" value="(\d+)"', page)
                assert topic
                verdict = {"i": "include", "e": "exclude"}[letter]
                sent = {"csrf": csrf_in(page), "topic": topic[1], "verdict": verdict, "theme": "Costs"}
                answer = await client.post("/curation/review", data=sent | {"note": f"only {name} knows"})
                assert answer.status_code == 303
        page = (await joel.get("/curation/agreement")).text
        assert "the same for 62.5 % of 8 topics, kappa 0.25" in page
        assert page.count("only Ottilie knows") == 3
        word = csrf_in((await ottilie.get("/account")).text)
        missing = await ottilie.post("/curation/review", data={"csrf": word, "topic": 12, "verdict": ""})
        assert missing.status_code == 422 and "choose Include or Exclude" in missing.text
    async with signed_in(curated, "Third") as third:
        page = (await third.get("/curation/agreement")).text
        assert "only Ottilie knows" not in page and "3 more are shown once" in page
        await third.post(
            "/curation/review",
            data={"csrf": csrf_in((await third.get("/account")).text), "topic": 3, "verdict": "include"},
        )
        assert "only Ottilie knows" in (await third.get("/curation/agreement")).text
    assert (numbers(curated), newest(curated)) == before, "a judgement changes no number"


async def test_a_talk_is_withdrawn_restored_and_redated(
    curated: Warehouse, ottilie: httpx.AsyncClient
) -> None:
    video_id = "talk0000010"
    before = numbers(curated)
    word = csrf_in((await ottilie.get("/account")).text)

    async def correct(**sent: str) -> httpx.Response:
        return await ottilie.post("/curation/talks", data={"csrf": word, "video_id": video_id} | sent)

    assert (await correct(what="withdraw", reason="")).status_code == 422
    answer = await correct(what="withdraw", reason=SCRIPT)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/talks/{video_id}")
    assert numbers(curated) != before
    twice = await correct(what="withdraw", reason="again")
    assert (
        twice.status_code == 409 and "withdrawn already" in twice.text and "<script>alert" not in twice.text
    )
    assert (await correct(what="restore")).status_code == 303
    assert numbers(curated) == before
    assert (await correct(what="redate", published="2031-01-01", reason="x")).status_code == 422
    assert (
        await correct(what="redate", published="2024-05-05", reason="as the page says")
    ).status_code == 303
    talk = VIEWS["talk"](curated, video_id)
    assert str(talk["published_on"]) == "2024-05-05"
    assert [row["author"] for row in talk["corrections"]] == ["Ottilie"] * 3
    assert (
        await ottilie.post("/curation/talks", data={"csrf": word, "video_id": "no such", "what": "restore"})
    ).status_code == 422


async def test_a_repeating_talk_can_be_kept_on_its_page(
    curated: Warehouse, ottilie: httpx.AsyncClient
) -> None:
    again, unheard = studies.video("again", "2025-05-05"), studies.video("unheard", "2025-05-05")
    for of in (again, unheard):
        writer.write(curated, studies.seen(of))
    writer.write(curated, writer.rows_of(studies.transcribed(again)))
    for of in (again, unheard):
        said = e.VideoRejected(video=of, rule="duplicate", reason="three quarters of it are in talk0000003")
        writer.write(curated, writer.rows_of(said))
    assert ">Keep<" not in (await ottilie.get("/talks/unheard")).text, "there is nothing to learn"
    page = await ottilie.get("/talks/again")
    assert "three quarters of it are in talk0000003" in page.text
    assert ">Keep<" in page.text
    sent = {"csrf": csrf_in(page.text), "video_id": "again", "what": "keep"}
    assert (await ottilie.post("/curation/talks", data=sent)).status_code == 422, "it needs a reason"
    answer = await ottilie.post("/curation/talks", data=sent | {"reason": "another tour"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/talks/again")
    (row,) = [row for row in VIEWS["corrections"](curated) if row["video_id"] == "again"]
    assert (row["what"], row["reason"], row["author"]) == ("kept", "another tour", "Ottilie")
    twice = await ottilie.post("/curation/talks", data=sent | {"reason": "another tour"})
    assert twice.status_code == 409
    assert "kept already" in twice.text
    unknown = await ottilie.post(
        "/curation/talks", data=sent | {"video_id": "talk0000011", "reason": "no duplicate"}
    )
    assert unknown.status_code == 422


async def test_who_only_reads_sees_the_codebook_and_no_form(curated: Warehouse) -> None:
    async with client_of(curated) as client:
        page = await client.get("/curation")
        assert "RAG Systems" in page.text and "/login?next=/curation" in page.text
        assert ">Decide<" not in page.text and 'name="csrf"' not in page.text
        evidence = await client.get(f"/curation/topics/{RAG}/evidence")
        assert evidence.text.count("<blockquote") == 3
        exported = await client.get("/curation/codebook.yaml")
        assert exported.headers["Content-Type"].startswith("application/yaml")
        assert "rag-systems" in exported.text or "RAG Systems" in exported.text
