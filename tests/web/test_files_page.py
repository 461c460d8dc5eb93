"""Tests of /files: adding recordings, transcripts and collections with the page's form."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import studies
from chromium import barriers, needs_chromium
from page_process import client_of, web_of
from serving import served
from signed_in import OURS, csrf_in, signed_in, token_of

from agents.web.pages.operation import files as files_page
from streams.settings import Settings
from streams.state.blobs import Blobs
from streams.state.outbox import Outbox
from streams.store.warehouse import Warehouse

VTT = b"WEBVTT\n\n00:00:01.000 --> 00:00:04.000\nWe ship agents to production.\n"
DATED = {"published_at": "2025-03-14"}


@pytest.fixture(scope="module")
def small_study(chdb_home: Path) -> Iterator[Warehouse]:
    """Yield a study with some talks, whose page takes at most one megabyte of files at a time."""
    with Warehouse(Settings(home=chdb_home, study="files_page", web_upload_mb=1)) as warehouse:
        warehouse.migrate()
        studies.small(warehouse)
        yield warehouse


@pytest.fixture
def study(small_study: Warehouse) -> Iterator[Warehouse]:
    """Yield the study without added talks and curators."""
    yield small_study
    shutil.rmtree(small_study.settings.blobs_url, ignore_errors=True)
    small_study.settings.curators_file.unlink(missing_ok=True)


def talk(**about: Any) -> bytes:
    segments = [{"start": 0.0, "end": 4.0, "text": "We ship agents to production."}]
    return json.dumps(about | {"segments": segments}).encode()


def added(warehouse: Warehouse) -> list[Any]:
    """Return the videos of the added talks, by title."""
    outbox = Outbox(Blobs(warehouse.settings.blobs_url))
    return sorted((seen.video for seen in outbox.entries()), key=lambda video: video.title)


async def send(
    client: httpx.AsyncClient, *files: tuple[str, bytes], word: str | None = None, **fields: str
) -> httpx.Response:
    """Submit the form with files as (name, content)."""
    given = {"csrf": word or csrf_in((await client.get("/files")).text), **fields}
    return await client.post("/files", data=given, files=[("files", each) for each in files])


async def test_a_transcript_is_added_with_what_the_form_says(study: Warehouse) -> None:
    async with signed_in(study) as client:
        page = await send(client, ("How we ship.vtt", VTT), show="Night Deploys", title="Ours", **DATED)
    assert page.status_code == 200
    assert "1 talk added" in page.text and "<bdi>Ours</bdi>" in page.text
    assert "groundswell run</code> starts" in page.text, "nothing processes it yet"
    assert 'value="Night Deploys"' in page.text and 'value="2025-03-14"' in page.text, "for the next one"
    assert 'value="Ours"' not in page.text, "the next one has another title"
    (video,) = added(study)
    assert (video.title, video.show, str(video.published_at.date())) == (
        "Ours",
        "Night Deploys",
        "2025-03-14",
    )
    blobs = Blobs(study.settings.blobs_url)
    (kept,) = blobs.keys("inbox")
    assert blobs.get(kept) == VTT


async def test_files_of_one_upload_describe_each_other(study: Warehouse) -> None:
    many = b"\n".join(talk(id=f"line{n}", title=f"Line {n}", published_at="2025-02-01") for n in range(3))
    about = json.dumps({"title": "Described", "published_at": "2024-05-06"}).encode()
    async with signed_in(study) as client:
        page = await send(client, ("one.vtt", VTT), ("one.json", about), ("many.jsonl", many))
    assert "4 talks added" in page.text and "refused" not in page.text
    assert [each.title for each in added(study)] == ["Described", "Line 0", "Line 1", "Line 2"]


async def test_each_refused_file_says_why_and_the_others_are_added(study: Warehouse) -> None:
    async with signed_in(study) as client:
        page = await send(
            client,
            ("notes.txt", b"not a talk"),
            ("broken.json", b"{"),
            ("empty.mp3", b""),
            ("twice.vtt", VTT),
            ("C:\\talks\\twice.vtt", VTT + b"\n"),
            ("..", VTT),
            ("\u202e<script>.vtt", b""),
            **DATED,
        )
    assert page.status_code == 200 and "1 talk added" in page.text and "6 were refused" in page.text
    for cause in (
        "<strong><bdi>notes.txt</bdi></strong>",
        "<strong><bdi>broken.json</bdi></strong>",
        "empty.mp3 is empty, or begins with nothing but zeros",
        "two of these files are called twice.vtt",
        "this file has no usable name",
    ):
        assert cause in page.text
    assert "groundswell-files-" not in page.text, "the folder of the upload is nobody's business"
    assert "<script>.vtt" not in page.text
    assert [each.title for each in added(study)] == ["twice"]


async def test_a_file_without_a_date_says_where_to_enter_it(study: Warehouse) -> None:
    async with signed_in(study) as client:
        page = await send(client, ("one.vtt", VTT))
    assert "the publication date of one.vtt is unknown" in page.text.replace("one is", "one.vtt is")
    assert "Published on" in page.text
    assert added(study) == []


@pytest.mark.parametrize(
    ("fields", "names", "cause"),
    [
        (DATED, (), "no file was chosen"),
        (DATED | {"title": "Ours"}, ("a.vtt", "b.vtt"), "one title was given for several files"),
        ({"published_at": "yesterday"}, ("a.vtt",), "&#39;yesterday&#39; is not a date"),
        ({"published_at": "2999-01-01"}, ("a.vtt",), "is in the future"),
        (DATED | {"show": "x" * 2001}, ("a.vtt",), "this show has more than 2000 characters"),
    ],
)
async def test_a_wrong_form_adds_nothing_and_keeps_what_was_typed(
    study: Warehouse, fields: dict[str, str], names: tuple[str, ...], cause: str
) -> None:
    async with signed_in(study) as client:
        page = await send(client, *((name, VTT) for name in names or ("",)), **fields)
    assert page.status_code == 422 and cause in page.text and "What to do" in page.text
    assert all(f'value="{value}"' in page.text for value in fields.values())
    assert added(study) == []


async def test_only_curators_add_files(study: Warehouse) -> None:
    async with client_of(study) as client:
        assert "This study has no curators yet" in (await client.get("/files")).text
        token_of(study)
        page = (await client.get("/files")).text
        assert "/login?next=/files" in page and "<form" not in page.split("<main")[1]
        answer = await client.post("/files", files={"files": ("one.vtt", VTT)}, data=DATED, headers=OURS)
        assert answer.status_code == 401
    async with signed_in(study) as client:
        assert (await send(client, ("one.vtt", VTT), word="of another", **DATED)).status_code == 403
    assert added(study) == []


async def test_a_file_may_have_many_brackets_but_not_too_many_bytes(study: Warehouse) -> None:
    brackets = talk(title="Brackets", note=[[]] * 3000, **DATED)
    async with signed_in(study) as client:
        assert "1 talk added" in (await send(client, ("brackets.json", brackets))).text
        refused = await send(client, ("large.mp3", b"x" * 1_500_000), **DATED)
    assert refused.status_code == 413
    assert "send at most 1 MB at a time" in refused.text and "GROUNDSWELL_WEB_UPLOAD_MB" in refused.text


async def test_without_disk_space_an_upload_is_not_read(
    study: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files_page.shutil, "disk_usage", lambda _: SimpleNamespace(free=300))
    token_of(study)
    async with client_of(study) as client:
        answer = await client.post("/files", files={"files": ("one.vtt", VTT)}, headers=OURS)
    assert answer.status_code == 401 and "disk space" not in answer.text, "a stranger learns nothing of it"
    async with signed_in(study) as client:
        refused = await send(client, ("one.vtt", VTT), **DATED)
    assert refused.status_code == 507 and "free disk space" in refused.text
    assert added(study) == []


@needs_chromium
def test_files_are_chosen_checked_and_sent_in_a_browser(
    study: Warehouse, browser: Any, tmp_path: Path
) -> None:
    small, large = tmp_path / "small.vtt", tmp_path / "large.vtt"
    small.write_bytes(VTT)
    large.write_bytes(VTT * 20_000)
    token = token_of(study)
    with served(web_of(study)) as url:
        page = browser.new_page(viewport={"width": 360, "height": 800})
        page.goto(f"{url}/login?next=/files")
        page.fill("input[name=token]", token)
        page.click("main form button")
        page.wait_for_url("**/files")
        assert barriers(page) == []
        page.set_input_files("#files", large)
        assert "Choose fewer" in page.eval_on_selector("#files", "field => field.validationMessage")
        page.set_input_files("#files", small)
        assert page.eval_on_selector("#files", "field => field.validationMessage") == ""
        page.fill("#published_at", "2025-03-14")
        page.evaluate(
            """() => document.body.addEventListener("htmx:xhr:progress", () => {
              window.seen = document.querySelector(".sending")?.textContent.trim();
            })"""
        )
        page.click("text=Add files >> nth=-1")
        page.wait_for_selector("text=1 talk added")
        assert page.evaluate("window.seen") == "All sent. The files are being checked …"
        assert barriers(page) == []
        page.close()
    assert [each.title for each in added(study)] == ["small"]


@needs_chromium
def test_a_form_that_is_being_sent_is_not_sent_again(study: Warehouse, browser: Any) -> None:
    token = token_of(study)
    with served(web_of(study)) as url:
        page = browser.new_page()
        page.goto(f"{url}/login?next=/sources")
        page.fill("input[name=token]", token)
        page.click("main form button")
        page.wait_for_url("**/sources")
        waiting: list[Any] = []

        def hold(route: Any) -> None:
            waiting.append(route)

        page.route("**/sources", hold)
        page.fill("#locator", "LLM in production")
        for _ in range(3):
            page.press("#locator", "Enter")
        page.wait_for_selector("form.adding[aria-busy=true]")
        page.wait_for_function("document.body.matches(':has(form.htmx-request)')")
        assert [route.request.method for route in waiting] == ["POST"]
        waiting[0].continue_()
        page.wait_for_selector("text=is now watched")
        assert page.locator("[aria-busy]").count() == 0
        page.close()


@needs_chromium
def test_a_search_is_sent_again_while_the_first_is_answered(study: Warehouse, browser: Any) -> None:
    with served(web_of(study)) as url:
        page = browser.new_page()
        page.goto(url)
        words = page.locator("header input[type=search]")
        page.route("**/search?q=agents*", lambda route: None)  # which is never answered
        for text in ("agents", "retrieval"):
            words.fill(text)
            words.press("Enter")
        page.wait_for_url("**/search?q=retrieval*", wait_until="commit")
        page.close()
