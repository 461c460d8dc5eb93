"""Tests of /sources: the sources and their health, and adding, pausing, removing and checking them."""

import asyncio
import html
import os
import re
import shutil
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import studies
from chromium import Visit, barriers, needs_chromium
from page_process import Parts, client_of, web_of
from serving import served
from signed_in import csrf_in, signed_in, token_of
from studies import LONG, RIGHT_TO_LEFT, SCRIPT, TODAY

from agents.discovery.source_check import SourceCheck
from agents.web.dependencies import RequestRefused
from agents.web.pages.operation import checking, source_words
from agents.web.pages.operation.checking import in_time
from agents.web.pages.operation.sources import understood
from streams import events as e
from streams.errors import DataError, Unavailable
from streams.feeds.websub_subscriptions import (
    HubPause,
    HubRequest,
    HubResponse,
    Subscription,
    Subscriptions,
    topic_of,
)
from streams.settings import Settings
from streams.state.blobs import Blobs
from streams.state.source_locators import locate, preset
from streams.state.sources import Backfill, LaneHealth, Sources, Trouble, Visits, Watched, source_id
from streams.store.warehouse import Warehouse
from streams.youtube.errors import RefusalVerdict
from tests.loopback_youtube import FakeVideo, LoopbackYouTube

CHANNEL = "UC0123456789abcdefghijkl"
HOSTILE = f"{SCRIPT} {RIGHT_TO_LEFT} {LONG}"[:1500]
PAST = TODAY - timedelta(hours=3)


@pytest.fixture(scope="module")
def youtube() -> Iterator[LoopbackYouTube]:
    with LoopbackYouTube() as youtube:
        youtube.add(*(FakeVideo(f"talk{n:07}", f"RAG {SCRIPT}") for n in range(40)))
        yield youtube


@pytest.fixture(scope="module")
def small_study(chdb_home: Path, youtube: LoopbackYouTube) -> Iterator[Warehouse]:
    """Yield a study with some talks, with push from a hub and the loopback YouTube."""
    settings = Settings(
        home=chdb_home,
        study="sources_page",
        push_url="https://talks.example.org",
        proxy=youtube.proxy,
        insecure_tls=True,
    )
    with Warehouse(settings) as warehouse:
        warehouse.migrate()
        studies.small(warehouse)
        yield warehouse


@pytest.fixture
def study(small_study: Warehouse) -> Iterator[Warehouse]:
    """Yield the study without sources, curators and requests to YouTube; delete them afterwards."""
    yield small_study
    for made in (small_study.settings.blobs_url, small_study.settings.study_home / "egress"):
        shutil.rmtree(made, ignore_errors=True)
    small_study.settings.curators_file.unlink(missing_ok=True)


def sources_of(warehouse: Warehouse) -> Sources:
    return Sources(Blobs(warehouse.settings.blobs_url))


def watch(warehouse: Warehouse, text: str, visits: Visits | None = None, **about: Any) -> str:
    """Add a source by its text as a person types it, and remember its visits; return its id."""
    kind, locator = locate(text)
    name, sources = source_id(kind, locator), sources_of(warehouse)
    sources.add(e.Source(source_id=name, kind=kind, locator=locator, added_at=PAST, **about))
    if visits is not None:
        sources.remember(name, visits)
    return name


def plain(page: str) -> str:
    """Return the visible text of a page."""
    inline = re.sub(r"</?(a|bdi|span|strong|time|code)\b[^>]*>", "", page)
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", inline)))


def row_of(page: str, name: str) -> str:
    found = re.search(rf'<tr id="source-{name}">.*?</tr>', page, re.DOTALL)
    assert found, page
    return plain(found[0])


async def send(client: httpx.AsyncClient, path: str = "", **fields: str) -> httpx.Response:
    """Submit a form of the page, and follow its redirect."""
    word = csrf_in((await client.get("/sources")).text)
    return await client.post(f"/sources{path}", data={"csrf": word, **fields}, follow_redirects=True)


async def test_an_empty_study_says_how_to_add_the_first_source(study: Warehouse) -> None:
    async with client_of(study) as client:
        page = (await client.get("/sources")).text
        assert "No sources are watched yet" in page and "groundswell sources add URL" in page
        assert "This study has no curators yet" in page
        assert 'method="post" action="/sources' not in page
    async with signed_in(study) as client:
        page = (await client.get("/sources")).text
        assert "Add the first source" in page and "Add the 5 sources of “llm-in-production”" in page


async def test_each_source_says_how_it_does_and_what_came_of_it(study: Warehouse) -> None:
    trouble = Trouble(cause=f"it answers HTTP 404 {SCRIPT}", cure="nothing: it passes", at=PAST)
    went = {"visits": 2, "last_visit": PAST, "next_visit": TODAY + timedelta(hours=1)}
    worked = {"listing": LaneHealth(worked_at=PAST)}
    works = watch(
        study,
        "@Works",
        Visits.model_validate(
            went
            | {"found": 1234, "title": HOSTILE, "last_success": PAST, "lanes": worked}
            | {"channel_id": CHANNEL, "backfill": Backfill(asked_at=PAST, rank=412, found=400)}
        ),
    )
    limps = watch(
        study,
        "@Limps",
        Visits.model_validate(went | {"lanes": {**worked, "rss": LaneHealth(trouble=trouble)}}),
        since=PAST.date(),
    )
    fails = watch(
        study,
        "https://feeds.example.org/a?b=<i>",
        Visits.model_validate(
            went
            | {"failures": 3, "failure": trouble, "last_success": PAST}
            | {"next_visit": PAST, "lanes": {"feed": LaneHealth(trouble=trouble)}}
        ),
    )
    waits = watch(study, "RAG & co", Visits.model_validate(went | {"paused_until": TODAY}))
    new, paused = watch(study, "PLgroundswell0001"), watch(study, "@Paused")
    sources_of(study).pause(paused)
    subscriptions = Subscriptions(Blobs(study.settings.blobs_url))
    subscriptions.ask(asked := asked_of(works))
    async with client_of(study) as client:
        page = (await client.get("/sources")).text
    assert SCRIPT not in page and "<i>" not in page
    said = row_of(page, works)
    assert "reading earlier uploads back to its beginning: 400 found, 412 checked so far" in said
    assert f"last success: listing {PAST:%Y-%m-%d %H:%M}" in said
    assert f" works {PAST:%Y-%m-%d %H:%M} {TODAY + timedelta(hours=1):%Y-%m-%d %H:%M} 1,234 " in said
    assert "push: requested, not confirmed yet" in said
    assert f"channel · talks since {PAST.date()}" in row_of(page, limps)
    assert f"works in part rss: {trouble.cause}. What to do: {trouble.cure}." in row_of(page, limps)
    assert f"fails, 3 visits in a row; last worked on {PAST:%Y-%m-%d %H:%M} feed: " in row_of(page, fails)
    assert f"due since {PAST:%Y-%m-%d %H:%M}" in row_of(page, fails)
    assert "waits: requests to YouTube are paused until" in row_of(page, waits)
    assert "playlist not visited yet never soon 0 0" in row_of(page, new)
    assert "paused never not while it is paused" in row_of(page, paused)
    for address in (
        "https://www.youtube.com/@Works",
        "https://www.youtube.com/results?search_query=RAG+%26+co",
        "https://www.youtube.com/playlist?list=PLgroundswell0001",
    ):
        assert f'href="{address}"' in page
    subscriptions.answer(
        asked.token,
        {
            "hub.mode": "subscribe",
            "hub.topic": topic_of(CHANNEL),
            "hub.challenge": "c",
            "hub.lease_seconds": "345600",
        },
        TODAY,
    )
    subscriptions.keep_rest(HubPause(until=TODAY + timedelta(hours=1), failures=2, cause="it timed out"))
    async with client_of(study) as client:
        page = (await client.get("/sources")).text
    assert f"push: active until {TODAY + timedelta(days=4):%Y-%m-%d %H:%M}" in row_of(page, works)
    assert "requests to it are paused until" in plain(page) and "it timed out" in page


def asked_of(name: str) -> HubRequest:
    return HubRequest(
        channel_id=CHANNEL,
        source_id=name,
        number=1,
        mode="subscribe",
        token=f"{CHANNEL}.{'t' * 24}",
        secret="s" * 40,
        callback="https://talks.example.org/push/t",
        hub="https://hub.example.org",
        requested_at=PAST,
        again_at=TODAY,
    )


async def test_what_was_kept_is_counted_as_the_api_counts_it(study: Warehouse) -> None:
    (name,) = {each["source_id"] for each in study.rows("SELECT source_id FROM sightings")}
    source = e.Source(source_id=name, kind="search", locator="LLMOps", added_at=PAST)
    sources_of(study).add(source)
    async with client_of(study) as client:
        page = (await client.get("/sources")).text
        (row,) = (each for each in (await client.get("/api/sources")).json() if each["source_id"] == name)
    assert row["kept"] > 0
    assert row_of(page, name).endswith(f" soon 0 {row['kept']} ")


async def test_a_source_is_added_paused_resumed_removed_and_restored(study: Warehouse) -> None:
    sources = sources_of(study)
    async with signed_in(study) as client:
        page = await send(client, locator="  https://www.youtube.com/@MLOps/videos ", since="2025-01-01")
        assert page.status_code == 200 and "@MLOps is now watched." in plain(page.text)
        (watched,) = sources.watched()
        assert (watched.source.kind, watched.source.locator) == ("channel", "@MLOps")
        assert str(watched.source.since) == "2025-01-01"
        assert "@MLOps was already watched." in plain((await send(client, locator="@mlops")).text)
        again = await send(client, locator="@MLOps", since="2024-01-01")
        assert "its talks since that day will be added" in again.text
        assert str(sources.named(watched.source_id).source.since) == "2024-01-01"
        where = f"/{watched.source_id}"
        assert (
            "is paused; it will not be visited until you resume it"
            in (await send(client, f"{where}/pause")).text
        )
        assert sources.named(watched.source_id).paused
        assert (await send(client, f"{where}/pause")).status_code == 200, "twice is once"
        sources.remember(watched.source_id, Visits(visits=7, last_visit=PAST, found=70))
        removed = await send(client, f"{where}/remove")
        assert "@MLOps is no longer watched. The talks that it found stay in the study." in plain(
            removed.text
        )
        assert list(sources.watched()) == []
        gone = await send(client, f"{where}/pause")
        assert gone.status_code == 404 and "there is no source" in gone.text
        back = await send(client, f"{where}/restore")
        assert "is watched again, as before." in back.text
        restored = sources.named(watched.source_id)
        assert restored.paused and restored.visits.found == 70
        assert "is visited again." in (await send(client, f"{where}/resume")).text
        assert not sources.named(watched.source_id).paused


async def test_the_set_of_the_study_is_added_by_one_button(study: Warehouse) -> None:
    first = watch(study, preset("llm-in-production")[0][1])
    async with signed_in(study) as client:
        page = (await send(client, "/preset", name="llm-in-production")).text
        assert "4 sources of the preset added." in page
        assert "Add the 5 sources" not in page, "there is nothing left to add"
        assert len({each.source_id for each in sources_of(study).watched()} | {first}) == 5
        wrong = await send(client, "/preset", name="../secrets")
        assert wrong.status_code == 422 and "there is no preset" in wrong.text


@pytest.mark.parametrize(
    ("locator", "since", "why"),
    [
        ("", "", "the source is empty"),
        ("https://www.youtube.com/watch?v=dQw4w9WgXcQ", "", "is a single video, not a source"),
        ("https://me:secret@feeds.example.org/rss", "", "contains a user and password"),
        (f"ftp://{SCRIPT}", "", "is not a web address"),
        ("@MLOps", "2999-01-01", "is in the future"),
        ("@MLOps", SCRIPT, "is not a date"),
    ],
)
async def test_what_cannot_be_watched_is_refused_and_stays_in_field(
    study: Warehouse, locator: str, since: str, why: str
) -> None:
    async with signed_in(study) as client:
        answer = await send(client, locator=locator, since=since)
    assert answer.status_code == 422
    assert why in plain(answer.text) and "What to do:" in answer.text
    assert SCRIPT not in answer.text
    (kept,) = re.findall(r'<input id="locator" name="locator" value="([^"]*)"', answer.text)
    assert html.unescape(kept) == locator
    assert list(sources_of(study).watched()) == []


async def test_a_visitor_makes_the_server_read_no_folder(study: Warehouse, tmp_path: Path) -> None:
    there, missing = str(tmp_path), f"{tmp_path}/missing"
    async with signed_in(study) as client:
        said = [(await send(client, locator=text)).text for text in (there, missing)]
        for text in said:
            assert "folders cannot be added from the page" in text
            assert "groundswell sources add FOLDER" in text
        name = watch(study, there)
        page = (await client.get("/sources")).text
        assert there in page and f'"/sources/{name}/check"' not in page
        refused = await send(client, f"/{name}/check")
        assert refused.status_code == 422 and f"groundswell sources check {name}" in refused.text
    for text in ("/", "~", "~/talks", ".", "..", "./a", " \x00/etc", "file:///etc/passwd", "FILE:/etc"):
        with pytest.raises(DataError, match="folders cannot be added"):
            understood(text)
    assert understood(".NET in production") == ("search", ".NET in production")


async def test_who_is_not_signed_in_reads_and_changes_nothing(study: Warehouse) -> None:
    name = watch(study, "@MLOps")
    token_of(study)
    async with client_of(study) as client:
        page = (await client.get("/sources")).text
        assert "@MLOps" in page and "/login?next=/sources" in page
        assert "<button" not in page.split("<main")[1]
        paths = ("", "/preset", *(f"/{name}/{each}" for each in ("check", "pause", "remove", "restore")))
        for path in paths:
            assert (await client.post(f"/sources{path}", data={"locator": "@x"})).status_code == 401, path
    async with signed_in(study) as client:
        assert (await client.post(f"/sources/{name}/remove", data={"csrf": "no"})).status_code == 403
        for bad in ("..%2f..%2fcurators", "a.b", "x" * 101, "%00"):
            assert (await send(client, f"/{bad}/remove")).status_code in (404, 422), bad
        assert (await client.get(f"/sources?done=removed&of={name}")).text.count("no longer") == 0
        assert (await client.get("/sources?done=removed&of=../x")).status_code == 422
        assert (await client.get(f"/sources/{name}/check")).headers["Location"] == "/sources"
    (watched,) = sources_of(study).watched()
    assert not watched.paused


async def test_a_check_says_what_each_lane_shows_and_takes_nothing_in(study: Warehouse) -> None:
    works, none = watch(study, "@Meetup"), watch(study, "@Nobody")
    async with signed_in(study) as client:
        page = await send(client, f"/{works}/check")
        said = plain(page.text)
        assert page.status_code == 200 and SCRIPT not in page.text
        assert "It works: @Meetup A YouTube channel, which is watched already." in said
        assert f"listing: Meetup shows 30 or more talks, the first of them: RAG {SCRIPT} RAG" in said
        assert "rss: fails: YouTube's feed of the channel answers HTTP 404." in said
        assert "The source works without it." in said
        said = plain((await send(client, f"/{none}/check")).text)
        assert (
            "It does not work: @Nobody A YouTube channel, which is watched already. listing: fails: " in said
            and "What to do: " in said
        )
    blobs = Blobs(study.settings.blobs_url)
    assert [*blobs.keys("visits"), *blobs.keys("outbox")] == []
    standing = re.search(r"made (\d+) requests in the last hour, of 250", said)
    assert standing and int(standing[1]) > 0


async def test_a_preview_says_what_was_understood_and_watches_nothing(study: Warehouse) -> None:
    async with signed_in(study) as client:
        page = await send(client, "/preview", locator="@Meetup", since="2025-01-01")
        said = plain(page.text)
        assert "It works: @Meetup A YouTube channel. Add it below, or correct what you entered." in said
        assert page.text.count(html.escape(f"RAG {SCRIPT}")) == 5
        assert 'value="@Meetup"' in page.text and 'value="2025-01-01"' in page.text, "one click adds it"
        words = plain((await send(client, "/preview", locator="LLM in production")).text)
        assert "LLM in production Words to search for on YouTube." in words
        for nonsense, cause in (
            ("ftp://example.org", "is not a web address"),
            ("/etc", "folders cannot be added"),
        ):
            refused = await send(client, "/preview", locator=nonsense)
            assert refused.status_code == 422 and cause in plain(refused.text)
            assert f'value="{nonsense}"' in refused.text
        assert (await client.get("/sources/preview")).headers["Location"] == "/sources"
    assert list(sources_of(study).watched()) == []
    assert [*Blobs(study.settings.blobs_url).keys("outbox")] == []


async def test_a_hanging_check_is_not_waited_for_and_is_the_only_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(checking, "CHECK_S", 0.2)
    source = e.Source(source_id="search-1", kind="search", locator="LLMOps", added_at=PAST)
    one, go_on = threading.Lock(), threading.Event()

    def hang() -> list[SourceCheck]:
        go_on.wait(60)
        return []

    with pytest.raises(Unavailable, match="takes longer than"):
        await in_time(hang, source, one)
    with pytest.raises(RequestRefused, match="another check is running"):
        await in_time(lambda: [], source, one)
    go_on.set()
    assert await asyncio.to_thread(one.acquire, timeout=60)
    one.release()
    with pytest.raises(Unavailable, match=r"failed \(ZeroDivisionError\)"):
        await in_time(lambda: [SourceCheck("search", bool(1 / 0), True)], source, one)
    assert await in_time(lambda: [SourceCheck("search", True, True, 3)], source, one)


async def test_youtube_that_is_left_alone_is_said_with_its_reason(study: Warehouse) -> None:
    web: Any = web_of(study)
    watch(study, "@MLOps")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(web), base_url="http://localhost") as client:
        assert "Requests to YouTube are possible." in (await client.get("/sources")).text
        Parts(study).governor.refused(RefusalVerdict("blocked", "it takes this address for a bot", "session"))
        said = plain((await client.get("/sources")).text)
    assert "Requests to YouTube are paused until" in said and ": it takes this address for a bot." in said


async def test_sources_that_cannot_be_read_or_written_say_why(study: Warehouse) -> None:
    Blobs(study.settings.blobs_url).put("sources", b"a file where the folder is to be")
    signed = {"Authorization": f"Bearer {token_of(study)}"}
    async with client_of(study) as client:
        asked = await client.get("/sources")
        written = await client.post("/sources", data={"locator": "@MLOps"}, headers=signed)
    for answer in (asked, written):
        assert answer.status_code == 503
        assert "cannot be read or written" in answer.text and "GROUNDSWELL_BLOBS" in answer.text


@pytest.mark.long
async def test_without_its_database_the_page_still_lists_the_sources(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        where = f"clickhouse://me@127.0.0.1:{probe.getsockname()[1]}"
    settings = Settings(home=tmp_path, study="far", clickhouse=where)
    far = Warehouse(settings, patience_s=0.1)
    watch(far, "@MLOps")
    async with signed_in(far) as client:
        page = (await client.get("/sources")).text
        assert "@MLOps" in page and "The number of kept talks is currently unknown" in page
        assert (await send(client, locator="LLMOps")).status_code == 200


def test_a_subscription_is_said_as_it_stands() -> None:
    asked = asked_of("a")
    over = HubResponse(state="verified", number=1, answered_at=PAST, lease_began=PAST, lease_ends=TODAY)
    denied = HubResponse(state="denied", number=1, answered_at=PAST, reason="quota")
    said = [
        source_words.push(Subscription(asked=asked, answered=each), TODAY) for each in (None, over, denied)
    ]
    assert said == [
        "requested, not confirmed yet",
        "expired, to be renewed",
        "denied by the hub: quota",
    ]
    assert source_words.push(None, TODAY) == "not requested yet"


def test_a_backfill_says_how_far_it_is() -> None:
    source = e.Source(source_id="a", kind="channel", locator="@MLOps", added_at=PAST)
    begun = Backfill(asked_at=PAST, since=PAST.date(), rank=9, found=7)
    told = [
        source_words.progress(Watched(source=source, backfill_at=at, visits=Visits(backfill=each)))
        for at, each in (
            (None, None),
            (TODAY, begun),
            (PAST, begun),
            (PAST, begun.model_copy(update={"done_at": TODAY})),
        )
    ]
    assert told == [
        "",
        "earlier uploads: from its next visit on",
        f"reading earlier uploads back to {PAST.date()}: 7 found, 9 checked so far",
        f"earlier uploads read back to {PAST.date()}: 7 found",
    ]


def opened(browser: Any, address: str, token: str, **about: Any) -> Visit:
    """Sign in with a new profile of the browser; return the visit."""
    visit = Visit(browser.new_context(**about).new_page())
    visit.page.goto(f"{address}/login?next=/sources")
    visit.page.get_by_label("Your token").fill(token)
    visit.page.locator("main button").click()
    visit.page.wait_for_url("**/sources")
    return visit


@pytest.mark.long
@needs_chromium
@pytest.mark.parametrize("scripts", [True, False], ids=["with_scripts", "without"])
def test_adding_pausing_removing_and_undoing_in_a_browser(
    browser: Any, study: Warehouse, scripts: bool
) -> None:
    with served(web_of(study)) as url:
        visit = opened(
            browser, url.replace("127.0.0.1", "localhost"), token_of(study), java_script_enabled=scripts
        )
        page = visit.page
        page.get_by_label("A channel, a playlist").fill("@MLOps")
        page.get_by_role("button", name="Add", exact=True).click()
        page.get_by_text("is now watched").wait_for()
        table = page.get_by_role("table", name="Sources")
        assert "not visited yet" in table.inner_text()
        page.get_by_role("button", name="Pause @MLOps").click()
        page.get_by_text("is paused; it will not be visited").wait_for()
        page.get_by_role("button", name="Resume @MLOps").wait_for()
        page.get_by_role("button", name="Remove @MLOps").click()
        page.get_by_text("No sources are watched yet").wait_for()
        page.get_by_role("button", name="Undo").click()
        page.get_by_text("is watched again, as before").wait_for()
        assert "paused" in table.inner_text()
        assert not scripts or [each for each in visit.wrong if not each.endswith("/live")] == []
        page.context.close()


@pytest.mark.long
@needs_chromium
def test_it_fits_a_phone_and_everybody_can_use_it(browser: Any, study: Warehouse) -> None:
    fill(study)
    with served(web_of(study)) as url:
        address = url.replace("127.0.0.1", "localhost")
        for width, scheme in ((360, "dark"), (1280, "light")):
            visit = opened(
                browser,
                address,
                token_of(study),
                viewport={"width": width, "height": 900},
                color_scheme=scheme,
            )
            page = visit.page
            for path in ("/sources", "/sources?done=removed&of=" + fill(study)):
                page.goto(address + path)
                assert page.locator("h1").count() == 1
                assert barriers(page) == [], (path, width)
            if folder := os.environ.get("SHOTS"):
                page.screenshot(path=f"{folder}/sources-{width}-{scheme}.png", full_page=True)
            assert [each for each in visit.wrong if not each.endswith("/live")] == []
            page.context.close()


def fill(warehouse: Warehouse) -> str:
    """Add a source of each health, and remove another one; return the id of the removed one."""
    trouble = Trouble(
        cause="YouTube's feed of the channel answers HTTP 404",
        cure="nothing: such failures pass, and the channel's listing is read anyway",
        at=PAST,
    )
    went: dict[str, Any] = {"visits": 2, "last_visit": PAST, "next_visit": TODAY + timedelta(hours=1)}
    listing = {"listing": LaneHealth(worked_at=PAST)}
    going = Backfill(asked_at=PAST, rank=412, found=400)
    for text, about in (
        ("@MLOps", {"title": "MLOps Community", "found": 1834, "last_success": PAST, "backfill": going}),
        ("@Limps", {"lanes": {**listing, "rss": LaneHealth(trouble=trouble)}, "last_success": PAST}),
        ("https://feeds.example.org/rss", {"failures": 3, "failure": trouble, "title": HOSTILE}),
        ("RAG & co", {"paused_until": TODAY}),
        (HOSTILE, {"found": 12}),
    ):
        watch(warehouse, text, Visits.model_validate({"lanes": listing} | went | about))
    watch(warehouse, "PLgroundswell0001", since=PAST.date())
    sources = sources_of(warehouse)
    sources.pause(watch(warehouse, "@Paused"))
    gone = watch(warehouse, "@Gone")
    sources.remove(gone)
    return gone
