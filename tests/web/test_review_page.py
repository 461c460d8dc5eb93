"""Tests of reviewing on the page: one video at a time, blind, by keyboard, without scripts, on a phone."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import studies
from chromium import SCREENS, Visit, barriers, needs_chromium
from page_process import client_of, web_of
from serving import served
from signed_in import csrf_in, signed_in, token_of
from studies import LONG, RIGHT_TO_LEFT, SCRIPT

from streams import events as e
from streams.logs.reviews import Reviews
from streams.settings import Settings
from streams.state.blobs import Blobs
from streams.store import writer
from streams.store.warehouse import Warehouse

HOSTILE = f"{SCRIPT} {RIGHT_TO_LEFT} {LONG}"
WAITING = ("first", "second", "third", "fourth", "fifth", "sixth")


def parked(number: int, video_id: str) -> Iterator[e.Event]:
    about = {"title": HOSTILE, "description": HOSTILE} if video_id == "second" else {"language": None}
    video = studies.video(video_id, "2025-11-03", channel="Night Deploys", **about)
    sighting = e.Sighting(source_id="search-1", kind="search", query="LLMOps", seen_at=studies.TODAY)
    relevance = e.Relevance(
        score=0.9 - number / 10,
        talk_kind="experience report",
        reasons=(f"for: {SCRIPT}", "against: 5 to 15 minutes long"),
        model="m",
    )
    yield e.VideoSeen(video=video, sighting=sighting)
    yield e.VideoParked(
        video=video,
        state="in review",
        reason="nothing passes unreviewed",
        parked_at=studies.TODAY + timedelta(minutes=number),
        relevance=None if video_id == "sixth" else relevance,
    )


@pytest.fixture(scope="module")
def reviewed(chdb_home: Path) -> Iterator[Warehouse]:
    with Warehouse(Settings(home=chdb_home, study="reviewed_page", screening="review")) as warehouse:
        warehouse.migrate()
        events = [event for number, name in enumerate(WAITING) for event in parked(number, name)]
        writer.write(warehouse, (row for event in events for row in writer.rows_of(event)))
        yield warehouse


@pytest.fixture(scope="module")
def address(reviewed: Warehouse) -> Iterator[str]:
    with served(web_of(reviewed)) as url:
        yield url.replace("127.0.0.1", "localhost")


def opened(browser: Any, address: str, token: str, path: str = "/review", **about: Any) -> Visit:
    """Sign in with a new profile of the browser; return the visit."""
    visit = Visit(browser.new_context(**about).new_page())
    visit.page.goto(f"{address}/login?next={path}")
    visit.page.get_by_label("Your token").fill(token)
    visit.page.locator("main button").click()
    visit.page.wait_for_url(f"**{path}")
    return visit


def said(warehouse: Warehouse, video_id: str) -> list[tuple[str, str, str]]:
    log = Reviews(Blobs(warehouse.settings.blobs_url))
    return [(each.reviewer, each.verdict, each.talk_kind) for each in log.of(video_id)]


def heading(page: Any) -> str:
    text: str = page.locator("#video").inner_text()
    return text


async def test_without_reviewing_the_page_names_the_setting(new_study: Warehouse) -> None:
    new_study.migrate()
    async with signed_in(new_study) as client:
        page = (await client.get("/review")).text
        assert "This study does not use reviews" in page and "GROUNDSWELL_SCREENING=review" in page
        assert "There are no disagreements" in (await client.get("/review/disputed")).text
        assert "No talk has enough reviews yet" in (await client.get("/review/agreement")).text


async def test_two_who_adjudicate_at_once_lose_nothing(reviewed: Warehouse) -> None:
    log = Reviews(Blobs(reviewed.settings.blobs_url))
    async with signed_in(reviewed, "Gil") as gil:
        for name, answer in (("Hal", "keep"), ("Ida", "opinion")):
            async with signed_in(reviewed, name) as client:
                word = csrf_in((await client.get("/review?video=sixth")).text)
                sent = {"csrf": word, "video": "sixth", "answer": answer}
                assert (await client.post("/review", data=sent)).status_code == 303
        form = re.search(
            r'value="sixth">\s*<input type="hidden" name="mark" value="([^"]+)"',
            (await gil.get("/review/disputed")).text,
        )
        assert form
        wish = {"csrf": word, "video": "sixth", "answer": "keep", "mark": form[1]}
        wish["csrf"] = csrf_in((await gil.get("/review/disputed")).text)
        assert (await gil.post("/review/adjudicate", data=wish)).status_code == 303
        again = await gil.post("/review/adjudicate", data=wish | {"answer": "other"})
        assert again.status_code == 409
        assert "somebody judged sixth meanwhile" in again.text
        late = await gil.post("/review", data={"csrf": wish["csrf"], "video": "sixth", "answer": "keep"})
        assert late.status_code == 422
        assert "is decided already: keep, adjudicated by Gil" in late.text
    assert [each.final for each in log.of("sixth")] == [False, False, True]


async def test_who_is_not_signed_in_reads_and_changes_no_review(reviewed: Warehouse) -> None:
    async with client_of(reviewed) as client:
        for path in ("/review", "/review/disputed"):
            answer = await client.get(path)
            assert (answer.status_code, answer.headers["Location"].split("?")[0]) == (303, "/login")
        assert (await client.post("/review", data={"video": "third", "answer": "keep"})).status_code == 401
        ranking = (await client.get("/api/review_queue?limit=2")).json()
        assert [row["video_id"] for row in ranking["rows"]] == ["first", "second"]
        assert "reviewer" not in ranking["rows"][0]


async def test_a_program_reviews_with_a_token(reviewed: Warehouse) -> None:
    signed = {"Authorization": f"Bearer {token_of(reviewed, 'Jo')}"}
    async with client_of(reviewed) as client:
        wish = {"video_id": "fifth", "verdict": "exclude", "talk_kind": "workshop"}
        assert (await client.post("/api/review", json=wish)).status_code == 401
        answer = await client.post("/api/review", json=wish, headers=signed)
        assert (answer.status_code, answer.json()["state"], answer.json()["reviewer"]) == (200, "open", "Jo")
        none = await client.post("/api/review", json=wish | {"video_id": "fifht"}, headers=signed)
        assert (none.status_code, none.json()["cure"].split("?")[0]) == (422, "did you mean fifth")


@pytest.mark.long
@needs_chromium
def test_videos_are_judged_by_single_keys_and_the_last_undone(
    browser: Any, address: str, reviewed: Warehouse
) -> None:
    visit = opened(browser, address, token_of(reviewed, "Keys"))
    page = visit.page
    assert heading(page) == "Talk first"
    assert page.locator("form.judge kbd:visible").all_inner_texts() == ["n", "k", *"1234567", "s"]
    page.keyboard.press("k")
    page.wait_for_url("**/review?after=first")
    assert said(reviewed, "first") == [("Keys", "keep", "experience report")]
    page.keyboard.press("n")
    page.keyboard.type("2 kinds of slides")  # in a text field, letters are no shortcuts
    page.locator("main").focus()
    page.keyboard.press("2")
    page.wait_for_url("**/review?after=second")
    assert said(reviewed, "second") == [("Keys", "exclude", "tutorial")]
    page.keyboard.press("u")
    page.wait_for_url("**/review?video=second")
    assert said(reviewed, "second")[-1] == ("Keys", "undone", "tutorial")
    page.keyboard.press("s")
    page.wait_for_url("**/review?after=second")
    assert heading(page) == "Talk third"
    assert page.get_by_label(re.compile(r"^1 of \d waiting talks judged by you$")).count() == 1
    page.get_by_label("Use the shortcut keys shown").uncheck()
    page.locator("main").focus()
    page.keyboard.press("k")
    assert said(reviewed, "third") == []
    assert [each for each in visit.wrong if not each.endswith("/live")] == []
    page.context.close()


@pytest.mark.long
@needs_chromium
def test_without_scripts_two_judge_blind_and_a_third_adjudicates(
    browser: Any, address: str, reviewed: Warehouse
) -> None:
    for name, button in (("Ada", "lecture"), ("Bo", "Keep")):
        page = opened(browser, address, token_of(reviewed, name), java_script_enabled=False).page
        page.goto(f"{address}/review?video=fourth")
        assert "Ada" not in page.inner_text("main") and "slides" not in page.content()
        page.get_by_label("Reason (optional)").fill(f"slides, says {name}")
        page.get_by_role("button", name=button).click()
        page.context.close()
    page = opened(
        browser, address, token_of(reviewed, "Cy"), "/review/disputed", java_script_enabled=False
    ).page
    verdicts = page.get_by_label("A reviewer’s verdict").all_inner_texts()
    assert [" ".join(each.split()) for each in verdicts] == [
        "Ada exclude, lecture slides, says Ada",
        "Bo keep slides, says Bo",
    ]
    page.get_by_label("Final verdict").select_option("exclude: workshop")
    page.get_by_role("button", name="Decide").click()
    assert "Decided: exclude, workshop (workshop, adjudicated by Cy)." in page.inner_text("main")
    page.goto(f"{address}/review/agreement")
    told = " ".join(page.inner_text("main").split())
    assert "the same for 0.0 % of 1 talks, kappa 0.00" in told
    assert "Ada: exclude, lecture slides, says Ada Bo: keep" in told
    page.goto(f"{address}/review?video=fourth")
    page.get_by_role("button", name="Overrule").click()
    assert "Decided: keep (keep, adjudicated by Cy)." in page.inner_text("main")
    page.context.close()


@pytest.mark.long
@needs_chromium
@pytest.mark.parametrize("screen", SCREENS)
def test_every_page_fits_and_everybody_can_use_it(
    browser: Any, address: str, reviewed: Warehouse, screen: tuple[int, str]
) -> None:
    log, at = Reviews(Blobs(reviewed.settings.blobs_url)), studies.TODAY
    for name, verdict in (("Di", "keep"), ("Ed", "exclude")):
        for video_id in ("third", "fifth"):
            log.append(
                e.VideoReviewed(
                    video_id=video_id,
                    reviewer=name,
                    verdict=verdict if video_id == "fifth" else "keep",  # type: ignore[arg-type]
                    talk_kind="other",
                    note=HOSTILE[:2000],
                    reviewed_at=at,
                )
            )
    visit = opened(
        browser,
        address,
        token_of(reviewed, "Fay"),
        viewport={"width": screen[0], "height": 900},
        color_scheme=screen[1],
    )
    page = visit.page
    pages = (
        "/review",
        "/review?video=second",
        "/review?video=third",
        "/review/disputed",
        "/review/agreement",
    )
    for path in pages:
        page.goto(address + path)
        assert page.locator("h1").count() == 1, path
        assert barriers(page) == [], path
    assert [each for each in visit.wrong if not each.endswith("/live")] == []
    page.context.close()
