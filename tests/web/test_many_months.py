"""Tests of ten years of talks about sixty topics: legible columns, and nothing counted twice."""

import random
import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import studies
from page_process import client_of

from agents.queries.months import part
from agents.web.pages.topics.months import columns
from agents.web.pages.topics.sparklines import BASE, HEIGHT, STEP, of_talks, sparklines
from streams.settings import Settings
from streams.store import writer
from streams.store.queries import prevalence
from streams.store.queries.selection import Selection
from streams.store.warehouse import Warehouse

pytestmark = pytest.mark.long
TOPICS, YEARS = 60, range(2016, 2026)


@pytest.fixture(scope="module")
def ten_years(chdb_home: Path) -> Iterator[Warehouse]:
    with Warehouse(Settings(home=chdb_home, study="ten_years")) as warehouse:
        if warehouse.migrate():
            writer.write(warehouse, _talks())
        yield warehouse


def _talks() -> Iterator[tuple[str, writer.Columns]]:
    chance = random.Random(3)
    for topic_id in range(1, TOPICS + 1):
        yield from studies.topic(topic_id, f"Topic {topic_id}", f"Theme {topic_id % 5}", ("word",))
    days = [f"{year}-{month:02}-1{day}" for year in YEARS for month in range(1, 13) for day in (1, 5)]
    for index, day in enumerate(days):
        about = chance.sample(range(1, TOPICS + 1), 4)
        of = studies.video(f"v{index}", day)
        yield from studies.talk(index, of, [(topic_id, f"about {topic_id}") for topic_id in about])


async def get(warehouse: Warehouse, path: str) -> str:
    async with client_of(warehouse) as client:
        answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.text


def heat(html: str) -> tuple[list[str], dict[str, list[str]]]:
    """Return the columns of the themes' table, and {theme: "videos/all videos" in each column}."""
    table = html[html.index('<table class="heat"') :]
    table = table[: table.index("</table>")]
    cells = {
        theme: re.findall(r'<td class="level[^"]*" title="[^:]*: (\d+) of (\d+) talks"', row)
        for theme, row in re.findall(r"<bdi>(Theme \d)</bdi></a></th>(.*?)</tr>", table, re.DOTALL)
    }
    heads = re.findall(r'class="(?:year|month)[^"]*">\s*(?:<a href="[^"]*">|<abbr[^>]*>)?([\w-]+)', table)
    return heads, {theme: [f"{n}/{of}" for n, of in row] for theme, row in cells.items()}


async def test_many_months_are_years_whose_videos_are_counted_once(ten_years: Warehouse) -> None:
    heads, rows = heat(await get(ten_years, "/"))
    assert heads == [str(year) for year in YEARS]
    assert set(rows) == {f"Theme {number}" for number in range(5)}
    for place, year in enumerate(YEARS):
        counted = prevalence.themes(ten_years, Selection(first=f"{year}-01", last=f"{year}-12"))
        assert {row["theme"]: f"{row['videos']}/{row['of_videos']}" for row in counted} == {
            theme: row[place] for theme, row in rows.items()
        }


async def test_a_year_leads_to_its_months(ten_years: Warehouse) -> None:
    html = await get(ten_years, "/?show=Night+Deploys")
    (address,) = set(re.findall(r'<a href="(/\?[^"]*first=2019-01[^"]*)">2019', html))
    assert "show=Night+Deploys" in address
    heads, _ = heat(await get(ten_years, address.replace("&amp;", "&")))
    assert heads[:3] == ["2019", "Jan", "Feb"]
    assert len(heads) == 13


async def test_three_and_a_half_years_are_quarters(ten_years: Warehouse) -> None:
    heads, rows = heat(await get(ten_years, "/?first=2020-01&last=2023-06"))
    assert Counter(heads) == {"2020": 1, "2021": 1, "2022": 1, "2023": 1, "Q1": 4, "Q2": 4, "Q3": 3, "Q4": 3}
    counted = prevalence.themes(ten_years, Selection(first="2023-04", last="2023-06"))
    assert {row["theme"]: f"{row['videos']}/{row['of_videos']}" for row in counted} == {
        theme: row[-1] for theme, row in rows.items() if row[-1][:2] != "0/"
    }


@pytest.mark.parametrize("page", ["/trends", "/trends?of=topics", "/compare?topic_id=1&topic_id=2"])
async def test_lines_have_distinct_points_unless_months_are_asked_for(
    ten_years: Warehouse, page: str
) -> None:
    html = await get(ten_years, page)
    assert "Share of each quarter’s talks" in html
    more = "&" if "?" in page else "?"
    assert "Share of each month’s talks" in await get(ten_years, f"{page}{more}by=month")
    assert "Share of each year’s talks" in await get(ten_years, f"{page}{more}by=year")
    assert "Share of each month’s talks" in await get(ten_years, f"{page}{more}first=2024-01")


async def test_every_topic_is_on_one_page_of_the_list(ten_years: Warehouse) -> None:
    first, second = [await get(ten_years, f"/topics?sort=name{more}") for more in ("", "&page=2")]
    ids = [re.findall(r'<li id="topic-(\d+)"', html) for html in (first, second)]
    assert [len(each) for each in ids] == [50, 10]
    assert {int(topic_id) for each in ids for topic_id in each} == set(range(1, TOPICS + 1))
    assert "60 topics." in first
    assert "Page 1 of 2" in first
    assert 'href="/topics?sort=name" rel="prev"' in second


async def test_bars_of_many_months_are_quarters_on_one_scale(ten_years: Warehouse) -> None:
    rows = prevalence.topic_months(ten_years)
    months = columns(rows, "2025-12")
    counted: dict[int, Counter[str]] = {}
    for row in rows:
        counted.setdefault(row["topic_id"], Counter())[part(row["month"], "quarter")] += row["videos"]
    most = max(max(each.values()) for each in counted.values())
    quarters = list(dict.fromkeys(part(month.key, "quarter") for month in months))
    found = sparklines(rows, months, {1, 2})
    assert set(found) == {1, 2}
    for topic_id, drawn in found.items():
        bars = re.findall(rf"M(\d+) {BASE}v-([\d.]+)h\d+V{BASE}z", drawn.bars + drawn.unfinished)
        shown = {quarters[int(x) // STEP]: round(float(height) * most / HEIGHT) for x, height in bars}
        assert shown == counted[topic_id]
        assert (drawn.by, drawn.width) == ("quarter", STEP * len(quarters))
        assert drawn.most == max(counted[topic_id].values()) == counted[topic_id][drawn.most_in]
        assert (drawn.unfinished != "") == ("2025-Q4" in counted[topic_id]), "December is not over"


def test_a_sparkline_without_talks_has_no_bars() -> None:
    months = columns([{"month": "2025-01", "of_videos": 1}, {"month": "2025-03", "of_videos": 1}], "2025-03")
    assert of_talks([], months)[1:] == ("", "", 3 * STEP, 0, "")
    drawn = of_talks([date(2025, 3, 1), date(2025, 1, 1), date(2025, 1, 2)], months)
    assert (drawn.by, drawn.most, drawn.most_in) == ("month", 2, "2025-01")
    assert drawn.bars.startswith("M0 ")
    assert drawn.unfinished.startswith(f"M{2 * STEP} ")
