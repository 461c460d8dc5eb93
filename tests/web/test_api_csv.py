"""Tests of every view as CSV, for a study of two years with hostile titles."""

import csv
import io

import httpx
import pytest
import studies
from page_process import client_of

from agents.queries.registry import VIEWS
from agents.web.api.read import columns
from streams.store.talks import talks
from streams.store.talks.listing import listing
from streams.store.warehouse import Warehouse


async def get(warehouse: Warehouse, path: str, **headers: str) -> httpx.Response:
    async with client_of(warehouse) as client:
        return await client.get(f"/api/{path}", headers=headers)


@pytest.mark.parametrize("view", VIEWS)
async def test_every_view_speaks_csv_with_its_columns(lively: Warehouse, view: str) -> None:
    letter = lively.rows("SELECT letter_id FROM dead_letters")[0]["letter_id"]
    asked = {
        "topic": "topic_id=1&",
        "growth": "first=2025-04-01T00:00:00Z&last=2026-01-01T00:00:00Z&",
        "neighbours": "topic_id=1&",
        "speaking": "topic_id=1&",
        "search": "q=agents&",
        "word_months": "q=agents&",
        "paragraphs": "video_id=talk0000001&",
        "videos": "topic_id=1&",
        "quotes": "topic_id=1&",
        "talk": "video_id=talk0000001&",
        "dead_letter": f"letter_id={letter}&",
        "placed_themes": "placements=21%3Dtheme:Costs&",
        "unfinished": "last=2026-01-01T00:00:00Z&",
    }
    answer = await get(lively, f"{view}?{asked.get(view, '')}format=csv")
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="groundswell-lively-{view}.csv"'
    assert not answer.content.startswith(b"\xef\xbb\xbf")
    head, *rows = csv.reader(io.StringIO(answer.text))
    assert head == columns(view)
    assert {len(row) for row in rows} <= {len(head)}


async def test_csv_has_all_rows_where_json_has_a_page(lively: Warehouse) -> None:
    in_all = listing(lively)["videos"]
    assert in_all == len(talks.talks(lively, 10_000)) > 50
    for view in ("talks", "listing"):
        _, *rows = csv.reader(io.StringIO((await get(lively, f"{view}?format=csv")).text))
        assert len(rows) == in_all
    assert len((await get(lively, "listing")).json()["rows"]) == 50
    assert studies.RIGHT_TO_LEFT in {row[columns("listing").index("title")] for row in rows}


async def test_the_queue_of_screening_is_paged_by_itself(lively: Warehouse) -> None:
    whole = (await get(lively, "screening_queue?verdict=rejected")).json()
    assert whole["videos"] == len(whole["rows"]) == 3
    second = (await get(lively, "screening_queue?verdict=rejected&limit=1&offset=1")).json()
    assert second == {"videos": 3, "rows": whole["rows"][1:2]}
