"""Tests of theme suggestions, made on demand by the real embedding model."""

from typing import Any

import httpx
import pytest
import studies
from page_process import Loaded, Process
from signed_in import OURS, token_of

from agents.web.app import build_web
from streams.store.warehouse import Warehouse


@pytest.mark.long
async def test_a_theme_is_suggested_only_when_it_is_asked_for(lively: Warehouse) -> None:
    token, parts = token_of(lively), Loaded(lively)
    process: Any = Process(lively.settings, parts)
    transport = httpx.ASGITransport(build_web(process))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        away = await client.get("/curation/suggestions")
        assert away.headers["Location"] == "/login?next=%2Fcuration%2Fsuggestions"
        await client.post("/login", data={"token": token}, headers=OURS)
        page = await client.get("/curation")
        assert "Sort 1 topic into themes" in page.text
        assert parts.asked == 0, "looking at the codebook loads no model"
        page = await client.get("/curation/suggestions")
    assert page.status_code == 200
    assert parts.asked == 1
    assert page.text.count(" %)</option>") == 3
    assert '<option value="21=theme:Tools, Infrastructure' in page.text
    assert studies.SCRIPT not in page.text
