"""Tests of the chart pages for a study without talks, and for one whose database has no tables."""

import pytest
from page_process import client_of

from streams.store.warehouse import Warehouse

PAGES = (
    "/",
    "/trends",
    "/composition",
    "/ranks",
    "/compare",
    "/differences",
    "/cooccurrence",
    "/shows",
    "/speakers",
)


async def test_without_a_talk_every_page_says_so(new_study: Warehouse) -> None:
    new_study.migrate()
    async with client_of(new_study) as client:
        for path in PAGES:
            answer = await client.get(path)
            assert answer.status_code == 200, path
            assert "No talk" in answer.text, path
            assert "<h1" in answer.text, path
        assert (await client.get("/choices")).text.count("<option") == 0


@pytest.mark.long
async def test_without_tables_every_page_says_what_to_do(new_study: Warehouse) -> None:
    async with client_of(new_study) as client:
        for path in (*PAGES, "/choices", "/cooccurrence/videos?topic_id=1"):
            answer = await client.get(path)
            assert answer.status_code == 503, path
            assert "groundswell migrate" in answer.text, path
