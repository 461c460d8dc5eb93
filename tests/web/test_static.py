"""Tests of static files: complete, compressed for clients that accept it, and not sent twice."""

import gzip
import io
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from page_process import Parts, Process, client_of
from PIL import Image

from agents.web import site
from agents.web.app import build_web
from streams.store.warehouse import Warehouse

STATIC = Path(site.__file__).parent / "static"
FILES = sorted(path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*") if path.is_file())


async def test_every_file_is_sent_whole_and_as_what_it_is(small: Warehouse) -> None:
    kinds = {
        ".js": "text/javascript",
        ".css": "text/css",
        ".svg": "image/svg+xml",
        ".png": "image/png",
        ".woff2": "font/woff2",
    }
    async with client_of(small) as client:
        for name in FILES:
            for accepted in ("gzip", "identity"):
                answer = await client.get(f"/static/{name}", headers={"Accept-Encoding": accepted})
                assert answer.content == (STATIC / name).read_bytes(), name
                kept = "public, max-age=31536000, immutable" if name.endswith(".woff2") else "no-cache"
                assert answer.headers["cache-control"] == kept
                assert answer.headers["x-content-type-options"] == "nosniff"
                if Path(name).suffix in kinds:
                    assert answer.headers["content-type"].split(";")[0] == kinds[Path(name).suffix]


async def test_what_a_browser_has_is_not_sent_again(small: Warehouse) -> None:
    async with client_of(small) as client:
        for accepted in ("gzip", "identity"):
            tag = (await client.get("/static/app.js", headers={"Accept-Encoding": accepted})).headers["etag"]
            again = await client.get("/static/app.js", headers={"If-None-Match": tag})
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == tag
            other = await client.get("/static/app.js", headers={"If-None-Match": '"another"'})
            assert other.status_code == 200


async def test_scripts_are_compressed_well(small: Warehouse) -> None:
    plain = (STATIC / "vendor" / "echarts.js").read_bytes()
    async with client_of(small) as client:
        answer = await client.get("/static/vendor/echarts.js", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["vary"] == "Accept-Encoding"
    assert int(answer.headers["content-length"]) <= len(gzip.compress(plain, 6))


@pytest.mark.parametrize("name", ["none.js", "../site.py", "%2e%2e/site.py", "..%2fsite.py", "charts", ""])
async def test_nothing_else_is_sent(small: Warehouse, name: str) -> None:
    async with client_of(small) as client:
        answer = await client.get(f"/static/{name}")
    assert answer.status_code == 404
    assert b"class Site" not in answer.content


@pytest.mark.parametrize("web_url", ["", "https://talks.example.org/"])
async def test_a_shared_link_has_a_picture_at_an_absolute_address(small: Warehouse, web_url: str) -> None:
    settings = small.settings.model_copy(update={"web_url": web_url, "web_hosts": ["talks.example.org"]})
    process: Any = Process(settings, Parts(small))
    transport = httpx.ASGITransport(build_web(process))
    home = web_url.rstrip("/") or "http://localhost:8000"
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8000") as client:
        html = (await client.get("/trends?first=2025-01&topic_id=1&topic_id=2")).text
        about = dict(re.findall(r'<meta (?:property|name)="([a-z:]+)" content="([^"]*)">', html))
        assert about["og:url"] == f"{home}/trends?first=2025-01&amp;topic_id=1&amp;topic_id=2"
        assert about["og:image"] == f"{home}/static/share.png"
        assert about["twitter:card"] == "summary_large_image"
        answer = await client.get("/static/share.png")
        with Image.open(io.BytesIO(answer.content)) as picture:
            assert picture.size == (1200, 630)
        assert (about["og:image:width"], about["og:image:height"]) == ("1200", "630")
        assert len(answer.content) < 100_000
        missing = await client.get("/nowhere")
        assert missing.status_code == 404
        assert "og:image" not in missing.text


async def test_the_footer_names_the_licence(small: Warehouse) -> None:
    said = "CC BY 4.0, Example Institute"
    for licence in (said, ""):
        settings = small.settings.model_copy(update={"web_licence": licence})
        process: Any = Process(settings, Parts(small))
        transport = httpx.ASGITransport(build_web(process))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            html = (await client.get("/")).text
        assert (f"Charts and data: {said}" in html) == bool(licence)
