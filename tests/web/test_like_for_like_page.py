"""Trends offers shares of talks, paragraphs and minutes, like for like, and says when the mix changed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import studies
from page_process import client_of

from agents.queries import registry
from streams.settings import Settings
from streams.store import writer
from streams.store.warehouse import Warehouse

JOINED, SAID = (
    "2025-01",
    "From 2025-01 three in four talks are shorter than 15 minutes (72 of 96); before, none were",
)


@pytest.fixture(scope="module")
def joined(chdb_home: Path) -> Iterator[Warehouse]:
    """Return a study of four talks of 20 minutes a month, and since January of twelve of three, too."""
    with Warehouse(Settings(home=chdb_home, study="mixed")) as warehouse:
        if warehouse.migrate():
            writer.write(warehouse, _talks())
        yield warehouse


def _talks() -> Iterator[tuple[str, writer.Columns]]:
    for topic_id, theme in ((1, "Architecture"), (2, "Evaluation")):
        yield from studies.topic(topic_id, f"Topic {topic_id}", theme, ("word",))
    index = 0
    for month in [f"2024-{number:02}" for number in range(1, 13)] + [
        f"2025-{number:02}" for number in range(1, 7)
    ]:
        for number in range(16 if month >= JOINED else 4):
            short = number >= 4
            paragraphs: list[tuple[int | None, str]] = [(2, "said")] * (3 if short else 20)
            if not short and number % 2:
                paragraphs[0] = (1, "said")
            of = studies.video(
                f"v{index}", f"{month}-{number + 1:02}", channel="Daily" if short else "Weekly"
            )
            yield from studies.talk(index, of, paragraphs)
            index += 1


async def get(warehouse: Warehouse, path: str) -> str:
    async with client_of(warehouse) as client:
        answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.text


def drawn(html: str) -> dict[str, list[dict[str, Any] | None]]:
    """Return the points of the chart's lines, by name."""
    (data,) = re.findall(r'<script type="application/json">(.*?)</script>', html, re.DOTALL)
    return {line["name"]: line["points"] for line in json.loads(unescape(data))["lines"]}


def shares(html: str, name: str = "Architecture") -> list[float]:
    return [round(point["share"], 3) for point in drawn(html)[name] if point]


async def test_the_note_on_the_mix_leads_to_shares_that_stay(joined: Warehouse) -> None:
    html = await get(joined, "/trends")
    assert shares(html) == [0.5] * 12 + [0.125] * 6
    (note,) = re.findall(r'<p class="notice" role="note" id="mix-length-2025-01">(.*?)</p>', html, re.DOTALL)
    assert SAID in note
    assert SAID in html[html.index('role="img" aria-label=') :], "also to who cannot see the chart"
    (address,) = re.findall(r'href="(/trends[^"]*)"', note)
    html = await get(joined, unescape(address))
    assert shares(html) == [0.5] * 18
    assert "like for like by length" in html
    assert "so this does not affect them" in html
    assert "at most 50 % of all talks" in html
    for page in ("/", "/trends?of=topics", "/trends?by=quarter"):
        assert SAID in await get(joined, page)
    assert SAID not in await get(joined, "/trends?last=2024-12")
    assert SAID not in await get(joined, "/?first=2025-01")


@pytest.mark.parametrize("of", ["themes", "topics"])
@pytest.mark.parametrize("by", ["month", "quarter", "year"])
async def test_points_are_the_shares_of_the_basis(joined: Warehouse, of: str, by: str) -> None:
    html = await get(joined, f"/trends?of={of}&by={by}&basis=paragraphs")
    name = "Architecture" if of == "themes" else "Topic 1"
    before, since = 2 / 80, 2 / (80 + 36)
    columns = {
        "month": [before] * 12 + [since] * 6,
        "quarter": [before] * 4 + [since] * 2,
        "year": [before, since],
    }
    assert shares(html, name) == [round(share, 3) for share in columns[by]]
    assert f"Share of each {by}’s paragraphs" in html
    point = drawn(html)[name][0]
    assert point is not None
    months = {"month": 1, "quarter": 3, "year": 12}[by]
    assert point["amounts"] == f"{2 * months} of {80 * months} paragraphs"
    assert f"{2 * months} of {80 * months} paragraphs: 2.5 %" in html, "as a table"


async def test_every_control_keeps_what_the_others_chose(joined: Warehouse) -> None:
    html = await get(joined, "/trends?basis=minutes&standard=length&by=quarter&first=2024-04")
    links = [unescape(each) for each in re.findall(r'<a href="(/trends\?[^"]*of=[^"]*)"', html)]
    assert len(links) >= 8
    for link in links:
        assert "first=2024-04" in link
    assert sum("basis=minutes" in link for link in links) >= 8
    assert sum("standard=length" in link for link in links) >= 8
    assert '<input type="hidden" name="basis" value="minutes">' in html
    assert '<input type="hidden" name="standard" value="length">' in html
    assert 'href="/api/prevalence?first=2024-04&amp;format=csv&amp;basis=minutes&amp;standard=length"' in html


async def test_a_standard_that_nothing_meets_says_so(joined: Warehouse) -> None:
    html = await get(joined, "/trends?standard=source&channel=nobody")
    assert "No talk in this selection has a topic" in html
    async with client_of(joined) as client:
        refused = await client.get("/api/prevalence?standard=country")
        assert refused.status_code == 422
        assert "standard" in refused.json()["error"]
        answer = await client.get("/api/prevalence?standard=length&basis=talks")
        assert answer.json() == registry.prevalence(joined, standard="length")
        answer = await client.get("/api/mix")
        assert answer.json()["changes"][0]["said"].startswith(SAID)
        rows = (await client.get("/api/mix?format=csv")).text.splitlines()
        assert rows[0] == "videos,of_videos,share,month,kind,stratum,name"
        assert len(rows) == 1 + len(answer.json()["rows"])
