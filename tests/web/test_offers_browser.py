"""Tests of sorting topics into themes in a real browser, with and without scripts; what the overview says."""

from collections.abc import Iterator
from typing import Any

import pytest
import studies
from chromium import SCREENS, Visit, barriers, needs_chromium
from page_process import Loaded, web_of
from serving import served
from signed_in import token_of
from studies import AGENTS, BORN, PART

from agents.queries.registry import VIEWS
from streams.settings import Settings
from streams.store.codebook.sql_fragments import UNSORTED
from streams.store.warehouse import Warehouse

pytestmark = [needs_chromium, pytest.mark.long]
OTHER = studies.UNSORTED


@pytest.fixture(scope="module")
def curated(chdb_home: Any) -> Iterator[Warehouse]:
    with Warehouse(Settings(home=chdb_home, study="offers_browser")) as warehouse:
        warehouse.migrate()
        studies.unsorted(warehouse)
        yield warehouse


@pytest.fixture(scope="module")
def address(curated: Warehouse) -> Iterator[str]:
    parts = Loaded(curated)
    parts.embedder.embed(["loaded before a page waits for it"])
    with served(web_of(curated, parts=parts)) as url:
        yield url.replace("127.0.0.1", "localhost")


def opened(
    browser: Any, address: str, token: str, width: int = 1280, scheme: str = "light", *, scripts: bool = True
) -> Visit:
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=scripts
    )
    visit = Visit(context.new_page())
    visit.page.goto(f"{address}/login")
    visit.page.get_by_label("Your token").fill(token)
    visit.page.locator("main button").click()
    visit.page.wait_for_url("**/curation")
    return visit


def unsorted(warehouse: Warehouse) -> set[int]:
    """Return the topics that count and are in no theme."""
    topics = VIEWS["topics"](warehouse)
    return {row["topic_id"] for row in topics if row["theme"] == UNSORTED}


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_topics_are_sorted_from_the_overview_and_taken_back(
    browser: Any, address: str, curated: Warehouse, scripts: bool
) -> None:
    visit = opened(browser, address, token_of(curated), scripts=scripts)
    page, waiting = visit.page, unsorted(curated)
    page.goto(address)
    notice = page.get_by_label("Topics that are not yet in a theme")
    assert f"{len(waiting)} topics are not yet in a theme" in notice.inner_text()
    notice.get_by_role("link", name="Sort them").click()
    page.wait_for_url("**/curation/suggestions")
    assert page.locator("main input:checked").count() == 0
    page.get_by_role("group", name="Tick many").get_by_role("link", name="all").click()
    page.wait_for_url("**/curation/suggestions?least=0")
    assert page.locator("main input:checked").count() == len(waiting)
    page.get_by_role("checkbox", name="mcp, server, protocol").uncheck()
    page.get_by_label("Place of voice").select_option(f"{OTHER}=theme:Costs")
    page.get_by_role("button", name="Preview the changes").click()
    page.get_by_role("heading", name="Effect on the numbers").wait_for()
    assert page.locator("main ul li").all_inner_texts()[-2:] == [
        "planner, tool calls, loops (32) counts for Agents (2)",
        "voice, calls, accents (31) belongs to Costs",
    ]
    page.get_by_role("button", name="Confirm").click()
    page.wait_for_url("**/curation?decided=*")
    assert unsorted(curated) == {BORN}
    assert VIEWS["topic"](curated, topic_id=PART)["topic_id"] == AGENTS
    page.get_by_role("status").get_by_role("link", name="Undo").click()
    page.get_by_role("button", name="Confirm").click()
    page.wait_for_url("**/curation?decided=*")
    assert unsorted(curated) == waiting
    if scripts:  # without them, the browser reports each script that it does not load
        assert [each for each in visit.wrong if not each.endswith("/live")] == []
    page.context.close()


def test_topics_in_no_theme_are_not_drawn_as_a_theme(browser: Any, address: str, curated: Warehouse) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(address)
    options = page.locator("#treemap select option").all_inner_texts()
    assert "Costs" in options and UNSORTED not in options
    assert page.locator(".heat tbody th").count() == 8
    assert UNSORTED in page.locator(".heat tfoot").text_content()
    notice = page.get_by_label("Topics that are not yet in a theme")
    notice.get_by_role("link", name="See them").click()
    page.wait_for_url("**/topics?find=**")
    assert page.locator("ol.topics > li").count() == len(unsorted(curated))
    page.goto(f"{address}/trends")
    assert page.get_by_role("checkbox", name=UNSORTED).is_checked() is False, "but it can be drawn"
    page.goto(f"{address}/ranks")
    assert page.locator("th", has_text=UNSORTED).count() == 0
    context.close()


@pytest.mark.parametrize("screen", SCREENS)
def test_the_offers_fit_and_everybody_can_use_them(
    browser: Any, address: str, curated: Warehouse, screen: tuple[int, str]
) -> None:
    visit = opened(browser, address, token_of(curated), *screen)
    page = visit.page
    for path in ("/", "/curation/suggestions?least=40"):
        page.goto(address + path)
        assert barriers(page) == [], path
    page.get_by_role("group", name="Tick many").get_by_role("link", name="all").click()
    page.wait_for_url("**least=0")
    page.get_by_role("button", name="Preview the changes").click()
    page.get_by_role("heading", name="Effect on the numbers").wait_for()
    assert barriers(page) == []
    page.context.close()
