"""Tests of the comparison of two selections: the view's numbers, and the page that shows them."""

import csv
import io
import re
from html import escape, unescape
from typing import Any
from urllib.parse import quote_plus

import pytest
from page_process import client_of

from agents.queries import registry
from agents.queries.differences import differences
from models.stats.trend import trend
from streams.errors import DataError
from streams.store.codebook.sql_fragments import UNSORTED
from streams.store.queries.selection import Selection
from streams.store.warehouse import Warehouse

SHOW, OTHER = "Night Deploys", "MLOps Evenings"


async def get(warehouse: Warehouse, path: str, status: int = 200) -> str:
    async with client_of(warehouse) as client:
        answer = await client.get(path)
    assert answer.status_code == status, answer.text
    return answer.text


@pytest.mark.parametrize(
    "here, there",
    [
        (Selection("2025-01", "2025-06"), Selection("2024-01", "2024-07")),
        (Selection(show=SHOW), Selection(show=OTHER)),
        (Selection("2025-01", speaker="Ottilie Hwang"), Selection(speaker="Joel Hartwell")),
    ],
)
@pytest.mark.parametrize("of", ["themes", "topics"])
def test_a_difference_is_between_what_either_selection_counts(
    lively: Warehouse, here: Selection, there: Selection, of: Any
) -> None:
    other = {f"other_{name}": getattr(there, name) or "" for name in ("first", "last", "show", "speaker")}
    rows = differences(lively, here, of, **other)
    view = registry.themes if of == "themes" else registry.topics
    key = "theme" if of == "themes" else "topic_id"
    ours, theirs = ({row[key]: row for row in view(lively, each)} for each in (here, there))
    assert {row[key] for row in rows} == {
        unit for each in (ours, theirs) for unit, row in each.items() if row["videos"]
    }
    for row in rows:
        for prefix, counted in (("", ours), ("other_", theirs)):
            if row[key] in counted:
                for name in ("videos", "of_videos", "share", "low", "high"):
                    assert row[f"{prefix}{name}"] == pytest.approx(counted[row[key]][name])
            else:
                assert row[f"{prefix}videos"] == 0
        found = trend(row["videos"], row["of_videos"], row["other_videos"], row["other_of_videos"])
        assert row["change"] == pytest.approx(row["share"] - row["other_share"])
        assert (row["change_low"], row["change_high"]) == (
            found.change_interval.low,
            found.change_interval.high,
        )
        assert row["differs"] == (found.direction not in {"stable", "dormant"} or row["change_high"] < 0)
    sorted_rows = [row["differs"] for row in rows if row["name"] != UNSORTED]
    assert sorted_rows == sorted(sorted_rows, reverse=True)
    assert UNSORTED not in [row["name"] for row in rows[:-1]], "it is work to do, and comes last"


def test_without_another_selection_it_is_the_period_before(lively: Warehouse) -> None:
    period = Selection("2025-04", "2025-06")
    before = differences(lively, period, other_first="2025-01", other_last="2025-03")
    assert differences(lively, period) == before
    newest = differences(lively)
    assert newest == differences(
        lively, Selection("2025-07", "2025-12"), other_first="2025-01", other_last="2025-06"
    )
    trends = {row["theme"]: row["trend"] for row in registry.themes(lively)}
    assert {row["theme"]: row["change"] for row in newest if row["theme"] in trends} == {
        theme: found["change"] for theme, found in trends.items() if found is not None
    }


def test_what_is_no_period_is_refused(lively: Warehouse) -> None:
    with pytest.raises(DataError, match=r"'2025-02-31' is not a month or day"):
        differences(lively, other_first="2025-02-31")


async def test_the_page_has_the_rows_and_leads_to_both_sides(lively: Warehouse) -> None:
    query = f"first=2025-01&show={quote_plus(SHOW)}&of=topics&other_show={quote_plus(OTHER)}"
    html = await get(lively, f"/differences?{query}")
    rows = differences(lively, Selection("2025-01", show=SHOW), "topics", other_show=OTHER)
    body = html[html.index("<tbody>") : html.index("</tbody>")]
    assert [unescape(name) for name in re.findall(r'<th scope="row"><bdi>(.*?)</bdi>', body)] == [
        row["name"] for row in rows
    ]
    assert re.findall(r"<td>(?:<strong>)?([+-][0-9.]+)(?:</strong>)?</td>", body) == [
        f"{100 * row['change']:+.1f}" for row in rows
    ]
    unit = rows[0]["topic_id"]
    for side in (f"first=2025-01&show={quote_plus(SHOW)}", f"show={quote_plus(OTHER)}"):
        assert f'href="{escape(f"/topics/{unit}?{side}")}#talks"' in html
    assert f"{SHOW}, from 2025-01" in html
    address = re.search(r'href="(/api/differences[^"]*format=csv)"', html)
    assert address
    _, *lines = csv.reader(io.StringIO(await get(lively, unescape(address[1]))))
    assert len(lines) == len(rows)


async def test_the_page_says_what_it_cannot_compare(lively: Warehouse) -> None:
    assert "is not a month or day" in await get(lively, "/differences?other_last=2025-13", 422)
    silent = await get(lively, "/differences?first=2024-08&last=2024-08&other_show=Nobody")
    assert "No talk in this selection has a topic" in silent
