"""Tests of reading in a real browser: every width, both colour schemes, keyboard, and a player on demand."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import studies
from axe_playwright_python.sync_playwright import Axe
from chromium import SCREENS, Visit, barriers, needs_chromium
from page_process import web_of
from reading_study import EXCLUDED, LONG, ODD, REDATED, TOLD, WITHDRAWN, reading
from serving import served
from signed_in import token_of

from streams.settings import Settings
from streams.store.talks.paragraphs import paragraphs
from streams.store.warehouse import Warehouse

pytestmark = needs_chromium
PAGES = (
    "/emerging",
    "/emerging?rule=drift",
    "/topics",
    "/topics?find=zebra",
    "/topics/1?merged=4",
    f"/topics/{EXCLUDED}",
    "/topics/1?first=2030-01",
    "/talks/a0000000001",
    f"/talks/{quote(ODD, safe='')}",
    f"/talks/{LONG}",
    f"/talks/{WITHDRAWN}",
    f"/talks/{REDATED}",
    "/shows",
    "/speakers",
    "/search",
    "/search?q=retrieval",
    "/search?q=zebra",
    "/history",
)
MAIN = ("/emerging", "/topics", "/topics/1?merged=4", f"/talks/{REDATED}", "/search?q=retrieval", "/history")
"""What is opened in CI's short part as well."""


@pytest.fixture(scope="module")
def study(chdb_home: Path) -> Iterator[Warehouse]:
    with Warehouse(Settings(home=chdb_home, study="reading_browser")) as warehouse:
        if warehouse.migrate():
            reading(warehouse, turns=60)  # axe looks at each of them, a tenth of a second in each screen
        yield warehouse


@pytest.fixture(scope="module")
def address(study: Warehouse) -> Iterator[str]:
    with served(web_of(study)) as address:
        httpx.get(f"{address}/healthz", timeout=30)
        yield address


@pytest.fixture(scope="module", params=SCREENS, ids=str)
def visit(browser: Any, address: str, request: pytest.FixtureRequest) -> Iterator[Visit]:
    width, scheme = request.param
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    yield Visit(context.new_page())
    context.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    # Only the internet is faked.
    context.route(
        lambda url: "127.0.0.1" not in url,
        lambda route: route.fulfill(status=200, content_type="text/html", body="<p>the player</p>"),
    )
    yield page
    context.close()


@pytest.mark.long
@pytest.mark.parametrize(
    "path", [path if path in MAIN else pytest.param(path, marks=pytest.mark.long) for path in PAGES]
)
def test_every_page_can_be_read_by_everyone(visit: Visit, address: str, path: str) -> None:
    page = visit.page
    visit.wrong.clear()
    page.goto(f"{address}{path}")
    page.evaluate("document.querySelectorAll('main details').forEach(each => each.open = true)")
    for at in range(page.locator("figure[data-chart]").count()):
        page.locator("figure[data-chart]").nth(at).and_(page.locator("[data-drawn]")).wait_for()
    assert page.locator("h1").count() == 1
    assert barriers(page) == []
    assert [each for each in visit.wrong if not each.endswith("/live")] == []


def test_nothing_is_asked_of_anybody_else_until_a_reader_plays(page: Any, address: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{address}/talks/b0000000001")
    assert all(url.startswith(address) for url in asked)
    page.get_by_role("link", name="Play from 1:03").click()
    frame = page.locator("#player iframe")
    frame.wait_for()
    assert frame.get_attribute("src") == (
        "https://www.youtube-nocookie.com/embed/b0000000001?start=63&autoplay=1&rel=0"
    )
    assert page.url == f"{address}/talks/b0000000001", "the reader stays"
    assert page.locator("#said").inner_text() == "Playing from 1:03"


def test_the_player_starts_by_keyboard(page: Any, address: str) -> None:
    page.goto(f"{address}/talks/b0000000001")
    page.get_by_role("button", name="Play here").focus()
    page.keyboard.press("Enter")
    page.locator("#player iframe").wait_for()


def test_a_file_is_played_from_the_second(page: Any, address: str) -> None:
    page.goto(f"{address}/talks/a0000000001")
    page.evaluate(
        """() => {
          const media = document.querySelector("#player audio");
          Object.defineProperty(media, "currentTime", {set: second => { media.dataset.at = second; }});
        }"""
    )
    page.get_by_role("link", name="Play from 1:03").click()
    assert page.locator("#player audio").get_attribute("data-at") == "63"


def test_a_quote_plays_where_it_is_read(page: Any, address: str) -> None:
    page.goto(f"{address}/topics/2")
    page.locator("figure[data-drawn]").wait_for()
    quoted = page.locator("figure[data-hear=youtube]").first
    link = quoted.get_by_role("link", name="hear it at")
    second = link.get_attribute("data-play")
    link.click()
    quoted.locator("iframe").wait_for()
    assert f"start={second}&" in quoted.locator("iframe").get_attribute("src")
    assert page.url == f"{address}/topics/2"


def test_without_scripts_the_same_link_leads_to_the_second(browser: Any, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/talks/b0000000001")
    link = page.get_by_role("link", name="Play from 1:03")
    assert link.get_attribute("href") == "https://www.youtube.com/watch?v=b0000000001&t=63s"
    assert page.get_by_role("button", name="Play here").count() == 0
    context.close()


def test_a_box_in_time_leads_to_its_paragraph(page: Any, address: str, study: Warehouse) -> None:
    last = paragraphs(study, LONG)[-1]
    page.goto(f"{address}/talks/{LONG}")
    page.locator(f'.lane a[href="#p-{last["paragraph_id"]}"]').click()
    page.wait_for_url(f"**#p-{last['paragraph_id']}")
    assert last["text"] in page.locator("li:target").inner_text()
    box = page.locator("li:target").bounding_box()
    assert box is not None and 0 <= box["y"] < 900


def test_a_search_by_keyboard_leads_to_what_was_said(page: Any, address: str) -> None:
    page.goto(f"{address}/topics/1")
    page.get_by_role("searchbox", name="Search topics, talks and quotes").focus()
    page.keyboard.type("chunks")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?q=chunks")
    page.locator("mark").first.wait_for()
    assert page.locator("mark").all_inner_texts() == ["chunks"]
    page.locator("figcaption cite a").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/talks/a0000000001#p-*")
    assert "We build an index of chunks." in page.locator("li:target").inner_text()


@pytest.mark.long
def test_hostile_titles_run_nowhere(page: Any, address: str) -> None:
    ran: list[str] = []
    page.on("dialog", lambda dialog: (ran.append(dialog.message), dialog.dismiss()))
    for path in PAGES:
        page.goto(f"{address}{path}")
    assert ran == []
    page.goto(f"{address}/talks/{LONG}")
    heading = page.locator("h1")
    assert heading.inner_text() == studies.LONG
    box = heading.bounding_box()
    assert box is not None and box["height"] < 250, "10,000 characters take four lines"


@pytest.mark.long
def test_a_card_is_dismissed_and_taken_back_by_keyboard(browser: Any, address: str, study: Warehouse) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    token = token_of(study)
    page.goto(f"{address}/login")
    page.locator('input[name="token"]').fill(token)
    page.keyboard.press("Enter")
    page.wait_for_url("**/curation")
    page.goto(f"{address}/emerging")
    card = page.locator(f"#alert-{TOLD.event_id}")
    card.get_by_label("Reason (optional)").focus()
    page.keyboard.type("known for years")
    page.keyboard.press("Enter")
    page.get_by_text("1 dismissed").wait_for()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.get_by_text("1 dismissed").focus()
    page.keyboard.press("Enter")
    assert "known for years" in card.inner_text()
    card.get_by_role("button", name="Undo").focus()
    page.keyboard.press("Enter")
    page.locator(".card:not(.dismissed)").nth(1).wait_for()
    assert page.locator(".card.dismissed").count() == 0
    context.close()
