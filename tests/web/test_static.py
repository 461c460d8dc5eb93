"""Tests of static files: complete, compressed for clients that accept it, and not sent twice."""

import gzip
from pathlib import Path

import pytest
from page_process import client_of

from agents.web import site
from streams.store.warehouse import Warehouse

STATIC = Path(site.__file__).parent / "static"
FILES = sorted(path.relative_to(STATIC).as_posix() for path in STATIC.rglob("*") if path.is_file())


async def test_every_file_is_sent_whole_and_as_what_it_is(small: Warehouse) -> None:
    kinds = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
    async with client_of(small) as client:
        for name in FILES:
            for accepted in ("gzip", "identity"):
                answer = await client.get(f"/static/{name}", headers={"Accept-Encoding": accepted})
                assert answer.content == (STATIC / name).read_bytes(), name
                assert answer.headers["cache-control"] == "no-cache"
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
