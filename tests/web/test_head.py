"""Tests of HEAD: it answers wherever GET does, with the same head and without a body."""

import asyncio
import socket
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import examples
import httpx
import pytest
from page_process import Parts, Process, web_of
from serving import served

from agents.queries.registry import VIEWS
from agents.runtime.process import Runtime
from agents.web.app import build_web
from agents.web.site import SECTIONS
from streams.settings import Settings
from streams.store.warehouse import Warehouse
from tests.processes import GIVE_UP_S

PAGES = [path for path, _ in SECTIONS] + [
    "/login",
    "/api",
    "/openapi.json",
    "/static/style.css",
    "/alerts/digest",
]
OPERATIONS = ["/healthz", "/readyz", "/metrics"]
CHANGES = {"date", "content-length", "etag"}
"""Of pages that say what time it is."""


@pytest.fixture(scope="module")
def page(small: Warehouse) -> Iterator[httpx.Client]:
    with served(web_of(small)) as url, httpx.Client(base_url=url, timeout=GIVE_UP_S) as client:
        yield client


def same(client: httpx.Client, path: str) -> httpx.Response:
    got, head = client.get(path), client.head(path)
    assert head.status_code == got.status_code, path
    assert head.content == b""
    assert set(head.headers) == set(got.headers)
    for name in set(got.headers) - CHANGES:
        assert head.headers[name] == got.headers[name], (path, name)
    return head


@pytest.mark.parametrize("path", [*PAGES, *OPERATIONS, "/nowhere", "/transcript.vtt"])
def test_a_page_answers_head_as_it_answers_get(page: httpx.Client, path: str) -> None:
    same(page, path)


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_answers_head_as_it_answers_get(page: httpx.Client, name: str) -> None:
    query = str(httpx.QueryParams(examples.query_of(name)))
    same(page, f"/api/{name}?{query}")


def test_what_cannot_be_got_cannot_be_asked_for_its_head(page: httpx.Client) -> None:
    for path in ("/api/review", "/logout"):
        assert page.head(path).status_code == page.get(path).status_code == 405
    refused = page.delete("/api/status")
    assert refused.headers["Allow"] == "GET, HEAD"
    assert "use GET, HEAD" in refused.json()["cure"]


def test_the_head_of_an_answer_without_end_ends(page: httpx.Client) -> None:
    head = page.head("/live")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"].startswith("text/event-stream")
    assert page.get("/healthz").status_code == 200, "and the connection goes on"


def test_a_worker_without_pages_answers_head_too(small: Warehouse) -> None:
    process = Process(small.settings, Parts(small), page=False)
    with served(build_web(process)) as url, httpx.Client(base_url=url, timeout=GIVE_UP_S) as client:  # type: ignore[arg-type]
        for path in OPERATIONS:
            same(client, path)
        twice = client.get("/healthz", headers={"Content-Length": "0", "Transfer-Encoding": "chunked"})
        assert (twice.status_code, twice.headers["connection"]) == (400, "close")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere 127.0.0.2 is no address of this machine")
def test_a_worker_is_asked_from_this_machine_only(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    async def reached(**settings: str) -> set[str]:
        worker = Runtime(Settings(home=tmp_path, ops_port=port, **settings), (), page=False)
        async with worker.serving(), httpx.AsyncClient(trust_env=False, timeout=GIVE_UP_S) as client:
            found = set()
            for address in ("127.0.0.1", "127.0.0.2"):
                with suppress(httpx.ConnectError):
                    await client.get(f"http://{address}:{port}/readyz")
                    found.add(address)
        return found

    assert asyncio.run(reached()) == {"127.0.0.1"}
    assert asyncio.run(reached(ops_host="0.0.0.0")) == {"127.0.0.1", "127.0.0.2"}
