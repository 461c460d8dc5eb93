"""Small talk of shows is listed with its figures, and is excluded at once, on the page and with one undo."""

import html
import re
from collections.abc import Iterator
from typing import Any

import pytest
import studies
from page_process import client_of
from signed_in import signed_in

from agents.queries.registry import VIEWS
from streams.settings import Settings
from streams.store import writer
from streams.store.warehouse import Warehouse

GREETING, RAG, THANKS = 4, 1, 5


@pytest.fixture
def chatty(chdb_home: Any) -> Iterator[Warehouse]:
    """Yield a study of sixteen talks: two shows greet, and mostly thank; a third does not."""
    with Warehouse(Settings(home=chdb_home, study="chatty")) as warehouse:
        warehouse.migrate()
        rows: list[tuple[str, writer.Columns]] = []
        for topic_id, name in ((RAG, "RAG"), (GREETING, "Добро пожаловать"), (THANKS, "thanks & <b>")):
            rows += studies.topic(topic_id, name, "", (name.lower(), "word"))
        for index in range(16):
            of = studies.video(f"talk-{index:02}", f"2025-01-{index + 1:02}")
            of = of.model_copy(update={"channel_id": f"show-{index % 2}" if index < 12 else "quiet"})
            talks = index < 12
            said = [
                (GREETING if talks and row < 2 else THANKS if talks and index > 1 and row == 20 else RAG)
                for row in range(21)
            ]
            rows += studies.talk(index, of, [(topic_id, f"{topic_id} {index}") for topic_id in said])
        rows += studies.talk(16, studies.video("short", "2025-02-01"), [(GREETING, "a"), (GREETING, "b")])
        writer.write(warehouse, rows)
        yield warehouse


def named(warehouse: Warehouse) -> set[str]:
    return {row["name"] for row in VIEWS["topics"](warehouse)}


async def test_small_talk_is_excluded_at_once_and_comes_back(chatty: Warehouse) -> None:
    greeting, thanks = VIEWS["small_talk"](chatty)
    assert (greeting["topic_id"], greeting["paragraphs"], greeting["at_ends"]) == (GREETING, 24, 24)
    assert (greeting["talks"], greeting["of_talks"], greeting["sources"]) == (12, 12, 2)
    assert greeting["reason"] == (
        "100 % of its paragraphs are at the ends of talks, and 100 % of the talks of 2 sources have it"
    )
    assert (thanks["topic_id"], thanks["talks"], thanks["of_talks"]) == (THANKS, 10, 10)
    async with client_of(chatty) as reader:
        page = (await reader.get("/curation")).text
        assert "Добро пожаловать" in page and "thanks &amp; &lt;b&gt;" in page and greeting["reason"] in page
        assert "Exclude all 2" not in page, "only a curator may"
    async with signed_in(chatty) as ottilie:
        page = (await ottilie.get("/curation")).text
        link = re.search(r'href="([^"]+)">Exclude all 2<', page)
        assert link
        preview = (await ottilie.get(html.unescape(link[1]))).text
        form = re.search(r'<form class="decide confirm".*?</form>', preview, re.DOTALL)
        assert form
        fields: dict[str, list[str]] = {}
        for name, value in re.findall(r'<input[^>]* name="([^"]+)"[^>]* value="([^"]*)"', form[0]):
            fields.setdefault(name, []).append(html.unescape(value))
        assert fields["topic_ids"] == [str(GREETING), str(THANKS)]
        before = named(chatty)
        answer = await ottilie.post("/curation/decide", data=fields)
        assert answer.status_code == 303, answer.text
        assert named(chatty) == {"RAG"}
        assert VIEWS["small_talk"](chatty) == []
        assert "Small talk of shows" not in (await ottilie.get("/curation")).text
        (decision,) = VIEWS["codebook_decisions"](chatty)
        assert decision["said"].endswith(": small talk of shows") and set(decision["topic_ids"]) == {4, 5}
        undo = {
            **{name: fields[name] for name in fields if "csrf" in name},
            "action": "undo",
            "expected": "1",
        }
        assert (await ottilie.post("/curation/decide", data=undo)).status_code == 303
        assert named(chatty) == before
