"""Tests that no page changes the views' results, because pages share them."""

import copy
from typing import Any

import pytest
from page_process import client_of

from agents.queries.registry import VIEWS
from agents.web.view_cache import ViewCache
from streams.store.warehouse import Warehouse

PAGES = (
    *("/", "/?first=2025-01", "/trends", "/trends?of=topics", "/composition", "/ranks", "/ranks?of=topics"),
    *("/compare?topic_id=1&topic_id=2", "/cooccurrence", "/cooccurrence/videos?topic_id=1&other_id=2"),
    *(
        "/emerging",
        "/topics",
        "/topics?sort=rising",
        "/topics/1",
        "/topics/21",
        "/talks",
        "/talks/talk0000004",
        "/shows",
        "/speakers",
        "/differences",
    ),
    *("/screening", "/search?q=retrieval", "/system", "/history", "/alerts", "/choices", "/curation"),
)


@pytest.mark.long
async def test_no_page_and_no_answer_changes_what_the_next_one_gets(
    lively: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[tuple[Any, Any, Any]] = []
    keep = ViewCache._keep

    def noted(self: ViewCache, now: str, question: Any, said: Any) -> None:
        kept.append((question, said, copy.deepcopy(said)))
        keep(self, now, question, said)

    monkeypatch.setattr(ViewCache, "_keep", noted)
    async with client_of(lively) as client:
        for _ in range(2):
            for page in PAGES:
                assert (await client.get(page)).status_code == 200, page
            for view in VIEWS:
                await client.get(f"/api/{view}?topic_id=1&video_id=talk0000004&letter_id=0&q=retrieval")
                await client.get(f"/api/{view}?topic_id=1&video_id=talk0000004&format=csv")
    assert len(kept) > 40
    for question, said, was in kept:
        assert said == was, question
