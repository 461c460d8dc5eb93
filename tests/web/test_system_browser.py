"""Tests of /system, /talks, /screening and /api in a real browser: wide, narrow, light and dark, and axe."""

from collections.abc import Iterator
from typing import Any

import pytest
from chromium import SCREENS, Visit, barriers, needs_chromium
from page_process import web_of
from serving import served

from streams.store.warehouse import Warehouse

pytestmark = needs_chromium
PAGES = (
    "/system",
    "/talks",
    "/shows?show=Night+Deploys",
    "/speakers?speaker=Joel+Hartwell&first=2024-08&last=2024-08",
    "/differences?of=topics&first=2025-01&other_show=MLOps+Evenings",
    "/screening?verdict=",
    "/api",
    "/nowhere",
)


@pytest.fixture(scope="module")
def address(lively: Warehouse) -> Iterator[str]:
    with served(web_of(lively)) as url:
        yield url


@pytest.fixture(scope="module", params=SCREENS, ids=str)
def visit(browser: Any, request: pytest.FixtureRequest) -> Iterator[Visit]:
    width, scheme = request.param
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    yield Visit(context.new_page())
    context.close()


@pytest.mark.long
@pytest.mark.parametrize("path", PAGES)
def test_it_fits_is_silent_and_anyone_can_read_it(visit: Visit, address: str, path: str) -> None:
    page = visit.page
    visit.wrong.clear()
    page.goto(f"{address}{path}")
    if path == "/system":
        page.locator("#gpu-now").get_by_role("link").wait_for(state="detached")
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert barriers(page) == []
    expected = [] if path != "/nowhere" else [text for text in visit.wrong if "404" in text]
    assert visit.wrong == expected


def test_a_part_that_is_loaded_later_leaves_the_title(visit: Visit, address: str) -> None:
    page = visit.page
    page.goto(f"{address}/system")
    page.locator("#gpu-now").get_by_role("link").wait_for(state="detached")
    assert page.title() == "System · lively · Groundswell"
    search = page.get_by_role("searchbox")
    search.fill("retrieval")
    search.press("Enter")
    page.wait_for_url("**/search?*")
    page.wait_for_function("document.activeElement.id === 'content'")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "none"


def test_the_list_is_sorted_and_paged_by_links(visit: Visit, address: str) -> None:
    page = visit.page
    page.goto(f"{address}/talks?first=2024-01")
    page.get_by_role("link", name="Title").press("Enter")
    page.wait_for_url("**/talks?first=2024-01&order=title&up=true")
    page.get_by_role("link", name="Next →").click()
    page.wait_for_url("**page=2")
    assert "Page 2 of 2" in page.locator(".pager").inner_text()
    page.locator("table.wide tbody a").first.click()
    page.wait_for_url("**/talks/*")
