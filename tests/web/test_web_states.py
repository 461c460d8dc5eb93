"""Tests of the page when it has nothing to show: no talk yet, work in progress, no database."""

import asyncio
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import studies
from engine_process import clickhouse
from page_process import Parts, client_of, web_of
from signed_in import csrf_in, signed_in

from agents.runtime.health import Health
from streams.settings import Settings
from streams.store.warehouse import Warehouse
from streams.store.writer import write

ROOT = Path(__file__).parents[2]
PAGES = (
    "/shows",
    "/speakers",
    "/differences",
    "/trends",
    "/composition",
    "/ranks",
    "/compare",
    "/cooccurrence",
    "/emerging",
    "/topics",
    "/topics/1",
    "/talks",
    "/talks/a",
    "/screening",
    "/history",
    "/curation",
    "/system",
    "/search?q=rag",
)
"""Every page that reads the study."""
REFRESH = 'http-equiv="refresh" content="5"'


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def test_an_empty_study_says_what_to_do(new_study: Warehouse) -> None:
    new_study.migrate()
    async with client_of(new_study) as client:
        page = await client.get("/")
        assert page.status_code == 200
        for command in ("groundswell demo", "groundswell ingest FILE", "groundswell sources add URL"):
            assert command in page.text
        assert REFRESH in page.text, "the first talk shows by itself"
        for view in (
            "prevalence",
            "themes",
            "topics",
            "topic_months",
            "cooccurrence",
            "alerts",
            "dead_letters",
        ):
            assert (await client.get(f"/api/{view}")).json() == []
        status = (await client.get("/api/status")).json()
        assert (status["videos"], status["hours"], status["first_published"]) == (0, 0, None)


async def test_an_empty_study_is_begun_on_its_page(new_study: Warehouse) -> None:
    new_study.migrate()
    async with client_of(new_study) as stranger:
        page = (await stranger.get("/")).text
        assert "sign-in link that <code>groundswell run</code> prints" in page
        assert "<form class=" not in page.split("<main")[1]
    async with signed_in(new_study) as client:
        page = (await client.get("/")).text
        assert 'formaction="/sources/preview"' in page and "Three ways to begin" in page
        sent = {"csrf": csrf_in(page), "locator": "@Meetup", "since": ""}
        added = await client.post("/sources", data=sent, follow_redirects=True)
        assert "is now watched" in added.text
        assert "<strong>1 source is watched</strong>" in (await client.get("/")).text


async def test_first_talks_are_followed_step_by_step(new_study: Warehouse) -> None:
    """Six talks of eighteen have topics, and one more is transcribed; two more are done a minute later."""
    new_study.migrate()
    studies.small(new_study)
    waiting = [studies.video(f"waits{number}", "2025-03-01") for number in range(12)]
    for each in waiting:
        write(new_study, studies.seen(each))
    write(new_study, studies.writer.rows_of(studies.transcribed(waiting[0])))
    clock = [studies.TODAY]
    web = web_of(new_study, parts=Parts(new_study, lambda: clock[0]))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url="http://localhost") as client:
        page = (await client.get("/")).text
        assert _steps(page) == {"Transcribed": "7", "Split into paragraphs": "6", "Topics found": "6"}
        assert "at the pace" not in page
        clock[0] += timedelta(minutes=1)
        for index, each in enumerate(waiting[:2]):
            write(new_study, studies.talk(6 + index, each, [(1, "a paragraph")]))
        page = (await client.get("/")).text
        assert "About 5 minutes left, at the pace of the last minutes." in page
        assert _steps(page)["Topics found"] == "8"
        for index, each in enumerate(waiting[2:]):
            write(new_study, studies.talk(8 + index, each, [(1, "a paragraph")]))
        page = (await client.get("/")).text
        assert 'id="state"' not in page


def _steps(page: str) -> dict[str, str]:
    return dict(re.findall(r'aria-label="([^"]+)"></progress>\s*<span>(\d+) of 18', page))


async def test_work_in_progress_is_counted_and_followed(new_study: Warehouse) -> None:
    new_study.migrate()
    studies.small(new_study)
    for name in ("on_its_way", "waits_as_dead_letter"):
        write(new_study, studies.seen(studies.video(name, "2025-03-01")))
    write(new_study, studies.dead_letter(9, "waits_as_dead_letter"))
    async with client_of(new_study) as client:
        page = await client.get("/")
        assert "7 of 8 talks are finished" in page.text
        assert '<progress value="7" max="8"' in page.text
        assert REFRESH in page.text
        assert f"<noscript><meta {REFRESH}" in page.text, "who has scripts hears of it over /live"
        held = await client.get("/?refresh=off&first=2025-01")
        assert REFRESH not in held.text
        waiting = studies.e.VideoParked(
            video=studies.video("on_its_way", "2025-03-01"),
            sighting=studies.e.Sighting(source_id="s", kind="search", seen_at=studies.TODAY),
            state="in review",
            reason="reviewers decide",
            parked_at=studies.TODAY,
        )
        write(new_study, studies.writer.rows_of(waiting))
        page = await client.get("/")
        assert "0 in progress" in page.text
        assert '<a href="/review">1 waits for reviewers</a>' in page.text
        assert REFRESH not in page.text, "no agent changes what waits for people"


async def test_talks_that_were_all_rejected_are_explained(new_study: Warehouse) -> None:
    new_study.migrate()
    short = studies.video("short", "2025-03-01")
    rejected = studies.e.VideoRejected(video=short, rule="too short", reason="40 s")
    write(new_study, [*studies.seen(short), *studies.writer.rows_of(rejected)])
    async with client_of(new_study) as client:
        page = await client.get("/")
    assert "No talk has a topic" in page.text
    assert "1 (too short)" in page.text
    assert REFRESH not in page.text


async def test_a_study_without_tables_says_how_to_make_them(new_study: Warehouse) -> None:
    async with client_of(new_study, Health()) as client:
        page = await client.get("/")
        assert page.status_code == 503
        assert "groundswell migrate" in page.text
        assert "This process is not ready: starting" in page.text
        assert REFRESH in page.text
        answer = await client.get("/api/themes")
        assert answer.status_code == 503
        assert answer.json()["cure"] == 'create them with "groundswell migrate"'
        new_study.migrate()
        assert (await client.get("/")).status_code == 200


HOLDER = """
import sys
from streams.settings import Settings
from streams.store.process_lock import take
take(Settings(home=sys.argv[1], study="second").lock_file, "page", say=print)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def held(tmp_path: Path) -> Iterator[int]:
    """Yield the pid of a process that holds the lock of the study `second`, as one that serves its page."""
    Settings(home=tmp_path, study="second").study_home.mkdir(parents=True)
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        yield holder.pid
        holder.communicate()


async def test_a_database_that_another_process_has_open_is_said(held: int, tmp_path: Path) -> None:
    async with client_of(Warehouse(Settings(home=tmp_path, study="second"))) as client:
        page = await client.get("/")
        assert page.status_code == 503
        assert f"groundswell (pid {held}) has the embedded ClickHouse in" in page.text
        assert (await client.get("/api/status")).status_code == 503


@pytest.mark.long
async def test_the_page_survives_its_database_and_recovers(closed_port: int, tmp_path: Path) -> None:
    address = f"clickhouse://127.0.0.1:{closed_port}"
    settings = Settings(home=tmp_path, study="served", clickhouse=address)
    with Warehouse(settings, patience_s=3) as warehouse:
        async with client_of(warehouse) as client:
            page, answer = await asyncio.gather(client.get("/"), client.get("/api/status"))
            pages = await asyncio.gather(*(client.get(path) for path in PAGES))
            for path, each in zip(PAGES, pages, strict=True):
                assert each.status_code == 503, path
                assert "The study cannot be read" in each.text, path
                assert REFRESH in each.text, "it comes back by itself"
            assert page.status_code == answer.status_code == 503
            assert f"cannot reach ClickHouse at 127.0.0.1:{closed_port}" in page.text
            assert "GROUNDSWELL_CLICKHOUSE" in page.text
            assert REFRESH in page.text
            assert "default-src 'self'" in page.headers["Content-Security-Policy"]
            assert set(answer.json()) == {"error", "cure"}
            with clickhouse(tmp_path / "engine", closed_port):
                page = await client.get("/")
                assert (page.status_code, "groundswell migrate" in page.text) == (503, True)
                warehouse.migrate()
                studies.small(warehouse)
                page = await client.get("/")
                assert page.status_code == 200
                assert "<small>3/4</small>" in page.text
                for path in PAGES:
                    assert (await client.get(path)).status_code == 200, path
                quote = (await client.get("/api/quotes?topic_id=1&limit=1")).json()[0]
                assert quote["published_at"].endswith("T00:00:00Z")
