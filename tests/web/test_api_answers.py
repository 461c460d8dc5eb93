"""Tests of the API's answers: lists by page, CSV, and no body where the client has the current answer."""

import csv
import io
import re

import httpx
import pytest
from page_process import client_of

from agents.web.responses import as_csv
from streams.store.warehouse import Warehouse


async def get(warehouse: Warehouse, path: str, **headers: str) -> httpx.Response:
    async with client_of(warehouse) as client:
        return await client.get(f"/api/{path}", headers=headers)


def next_of(answer: httpx.Response) -> str | None:
    found = re.search(r'</api/([^>]*)>; rel="next"', answer.headers.get("Link", ""))
    return found[1] if found else None


@pytest.mark.long
@pytest.mark.parametrize(
    "view", ["talks?limit=2", "talks?limit=2.0", "topic_months?limit=4", "quotes?topic_id=1&limit=1"]
)
async def test_the_pages_of_a_list_are_the_list(small: Warehouse, view: str) -> None:
    whole = await get(small, re.sub(r"limit=[\d.]+", "limit=1000", view))
    assert next_of(whole) is None
    found: list[object] = []
    path: str | None = view
    while path:
        page = await get(small, path)
        assert page.headers["X-Total-Count"] == str(len(whole.json()))
        assert page.json(), "no empty page"
        found += page.json()
        path = next_of(page)
    assert found == whole.json()
    assert 'rel="prev"' in page.headers["Link"]


async def test_a_page_beyond_the_end_is_empty_and_states_the_total(small: Warehouse) -> None:
    answer = await get(small, "talks?offset=50")
    assert (answer.json(), answer.headers["X-Total-Count"]) == ([], "6")
    assert next_of(answer) is None


async def test_what_the_asker_has_is_not_sent_again(small: Warehouse) -> None:
    first = await get(small, "topics")
    assert first.headers["Cache-Control"] == "no-cache"
    tag = first.headers["ETag"]
    again = await get(small, "topics", **{"If-None-Match": f'"other", {tag}'})
    assert (again.status_code, again.content) == (304, b"")
    assert (again.headers["ETag"], again.headers["X-Total-Count"]) == (tag, first.headers["X-Total-Count"])
    assert (await get(small, "topics", **{"If-None-Match": '"other"'})).status_code == 200
    assert (await get(small, "topics?first=2025-03", **{"If-None-Match": tag})).status_code == 200
    as_file = await get(small, "topics?format=csv", **{"If-None-Match": tag})
    assert as_file.status_code == 200, "CSV is another answer"


@pytest.mark.parametrize("text", ['=HYPERLINK("x")', "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_no_cell_is_a_formula_and_no_number_is_a_text(text: str) -> None:
    (_, row) = csv.reader(io.StringIO(as_csv([{"a": text, "b": -1.5}], ["a", "b"]).decode(), newline=""))
    assert row == [f"'{text}", "-1.5"]


async def test_ways_that_are_not_there_say_which_are(small: Warehouse) -> None:
    async with client_of(small) as client:
        answer = await client.delete("/api/topics")
        assert answer.status_code == 405
        assert answer.json() == {"error": "/api/topics does not accept DELETE", "cure": "use GET, HEAD"}
        assert answer.headers["Allow"] == "GET, HEAD"
        answer = await client.get("/api/nothing")
        assert (answer.status_code, answer.json()["cure"]) == (404, "see /api for the list of endpoints")
        answer = await client.get(f"/api/talks?search={'x' * 5000}")
        assert answer.status_code == 422
        assert len(answer.text) < 400, "what is too long is not said back"
        answer = await client.get("/talks", params={"search": "x" * 5000})
        assert answer.status_code == 422


@pytest.mark.parametrize("text", ["0.5", "-3", "1735689600", "2025-02-31T00:00:00Z", "2025-01-01T00:00:00"])
async def test_a_moment_is_written_in_full(small: Warehouse, text: str) -> None:
    async with client_of(small) as client:
        answer = await client.get("/api/unfinished", params={"last": text})
    assert answer.status_code == 422, "neither seconds since 1970 nor a time of no zone"
    assert "last" in answer.json()["error"]


@pytest.mark.parametrize("view", ["listing", "screening_queue"])
async def test_a_view_that_counts_its_own_rows_is_paged_as_others(small: Warehouse, view: str) -> None:
    async with client_of(small) as client:
        whole = (await client.get(f"/api/{view}?limit=1000")).json()
        first = await client.get(f"/api/{view}?limit=2")
        assert first.headers["X-Total-Count"] == str(whole["videos"])
        found = re.search(r'<([^>]+)>; rel="next"', first.headers["Link"])
        assert found is not None
        second = await client.get(found[1])
    assert first.json()["rows"] + second.json()["rows"] == whole["rows"][:4]
    assert 'rel="prev"' in second.headers["Link"]
