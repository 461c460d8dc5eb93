"""A search finds every form of a word, misspelled words and quoted phrases, by date or by relevance."""

from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import studies
from page_process import client_of

from streams.settings import Settings
from streams.store import writer
from streams.store.queries.selection import Selection
from streams.store.talks.search import search
from streams.store.talks.word_months import word_months
from streams.store.warehouse import Warehouse

RAG, AGENTS = 1, 2
SAID = {
    "early": (
        "2025-01-01",
        [
            (AGENTS, "An agent, a second agent and a third agent: agents plan."),
            (RAG, "We keep vectors. The database of vectors grows."),
        ],
    ),
    "late": (
        "2025-02-01",
        [
            (RAG, "Retrieval with one agent among many other words about plans, budgets and the like."),
            (RAG, "Our vector database runs on Kubernetes."),
        ],
    ),
    "german": ("2025-03-01", [(AGENTS, "Die Häuser und das Haus; viele Systeme.")]),
}


@pytest.fixture(scope="module")
def study(chdb_home: Path) -> Iterator[Warehouse]:
    """Yield a study of two English talks and a German one."""
    with Warehouse(Settings(home=chdb_home, study="searched")) as warehouse:
        warehouse.migrate()
        rows: list[Any] = [*studies.topic(RAG, "RAG", "Build"), *studies.topic(AGENTS, "Agents", "Build")]
        for index, (name, (day, said)) in enumerate(SAID.items()):
            of = studies.video(name, day, title=f"Talk {index}: {name} agents")
            rows += studies.talk(index, of, said)
            if name == "german":
                heard = studies.transcribed(of, 150).model_copy(update={"language": "de"})
                rows += writer.rows_of(heard)
        writer.write(warehouse, rows)
        yield warehouse


def quotes(study: Warehouse, text: str, **how: Any) -> list[str]:
    """Return the talks of the quotes found, in order."""
    return [quote["video_id"] for quote in search(study, text, **how)["quotes"]]


def test_every_form_of_a_word_is_found(study: Warehouse) -> None:
    assert quotes(study, "agents") == quotes(study, "AGENT") == ["late", "early"]
    assert quotes(study, "retrieve") == ["late"]
    found = search(study, "agent")
    assert (found["tokens"], found["forms"]) == (["agent"], ["agent", "agents"])
    assert [talk["video_id"] for talk in found["talks"]] == ["german", "late", "early"]
    assert [topic["name"] for topic in found["topics"]] == ["Agents"]
    assert quotes(study, "system") == ["german"], "by the language of the talks"
    assert quotes(study, "tabase") == [], "a part of a word is not one of its forms"


def test_quoted_words_match_as_written_and_adjacent(study: Warehouse) -> None:
    assert quotes(study, '"agents"') == ["early"]
    assert quotes(study, "vector database") == ["late", "early"]
    assert quotes(study, '"vector database"') == ["late"]
    assert quotes(study, '"Vector  Database" kubernetes') == ["late"]
    assert quotes(study, '"database vector"') == []
    assert quotes(study, '"') == quotes(study, '""') == quotes(study, '"!!!"') == []


def test_a_misspelled_word_finds_the_nearest_one(study: Warehouse) -> None:
    found = search(study, "kuberntes database")
    assert [quote["video_id"] for quote in found["quotes"]] == ["late"]
    assert found["corrected"] == [{"word": "kuberntes", "instead": "kubernetes"}]
    assert search(study, "agents")["corrected"] == [], "the word is there"
    assert search(study, "rgb")["corrected"] == [], "too short to guess"
    assert search(study, '"kuberntes"')["corrected"] == [], "as written"
    assert search(study, "zucchini")["quotes_found"] == 0


def test_quotes_are_sorted_by_relevance_on_request(study: Warehouse) -> None:
    assert quotes(study, "agent", sort="relevance") == ["early", "late"]
    both = quotes(study, "vector database", sort="relevance")
    assert both == ["early", "late"], "vectors are said twice, in a shorter paragraph"


def test_a_search_is_narrowed_to_a_topic(study: Warehouse) -> None:
    assert quotes(study, "agent", topic_id=RAG) == ["late"]
    assert quotes(study, "agent", topic_id=AGENTS) == ["early"]
    assert [talk["video_id"] for talk in search(study, "talk", topic_id=AGENTS)["talks"]] == [
        "german",
        "early",
    ]
    assert quotes(study, "agent", topic_id=99) == []


def test_mentions_of_words_are_counted_by_month(study: Warehouse) -> None:
    assert word_months(study, "agents") == [
        {"month": month, "videos": 1, "of_videos": 1, "share": 1.0, "paragraphs": 1, "minutes": 0.91}
        for month in ("2025-01", "2025-02")
    ]
    assert [row["month"] for row in word_months(study, '"vector database"')] == ["2025-02"]
    assert word_months(study, "kuberntes") == word_months(study, "!") == [], "nothing is corrected"
    assert word_months(study, "agents", Selection(first="2025-02"))[0]["month"] == "2025-02"


async def test_words_are_lines_of_the_trends(study: Warehouse) -> None:
    async with client_of(study) as client:
        page = (await client.get("/trends", params={"words": ["agents", "kuberntes"], "by": "year"})).text
        assert "“agents”" in page and "2/3: 66.7 %" in page
        assert "No talk mentions “kuberntes”" in unescape(page.replace("<bdi>", "").replace("</bdi>", ""))
        assert 'href="/search?first=2025-01&amp;last=2025-12&amp;q=agents"' in page
        assert 'value="agents"' in page, "to change or empty"
        page = (await client.get("/trends", params={"words": "agents", "basis": "minutes"})).text
        assert "Words are counted in talks" in page and "2/3" not in page
        told = (await client.get("/api/word_months", params={"q": "agents"})).json()
        assert [(row["month"], row["videos"]) for row in told] == [("2025-01", 1), ("2025-02", 1)]
        assert told[0]["low"] < told[0]["share"] == told[0]["high"] == 1


async def test_the_page_marks_forms_and_says_what_it_corrected(study: Warehouse) -> None:
    async with client_of(study) as client:
        page = (await client.get("/search", params={"q": "kuberntes", "sort": "relevance"})).text
        assert "<mark>Kubernetes</mark>" in page
        assert "No paragraph contains “kuberntes”: “kubernetes” was searched for as well." in unescape(
            page.replace("<bdi>", "").replace("</bdi>", "")
        )
        assert '<option value="relevance" selected>' in page
        page = (await client.get("/search", params={"q": '"agents" plan', "topic": str(AGENTS)})).text
        assert "<mark>agents</mark>" in page and f'<option value="{AGENTS}" selected>' in page
        api = await client.get("/api/search", params={"q": "agent", "topic_id": AGENTS, "sort": "relevance"})
        assert [quote["video_id"] for quote in api.json()["quotes"]] == ["early"]
        assert (await client.get("/search", params={"q": "agent", "topic": "x"})).status_code == 422
