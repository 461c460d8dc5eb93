"""Tests of the overview in a real browser: both widths, both colour schemes, mouse and keyboard."""

from collections.abc import Iterator
from typing import Any

import pytest
from chromium import FAINT, SCREENS, Visit, in_each_scheme, needs_chromium
from page_process import web_of
from serving import served

from streams.store.warehouse import Warehouse

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def address(lively: Warehouse) -> Iterator[str]:
    with served(web_of(lively)) as url:
        yield url


@pytest.fixture(scope="module", params=SCREENS, ids=str)
def visit(browser: Any, address: str, request: pytest.FixtureRequest) -> Iterator[Visit]:
    width, scheme = request.param
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    visit = Visit(context.new_page())
    visit.page.goto(address)
    yield visit
    context.close()


def all_quotes(page: Any, *, shown: bool) -> None:
    page.evaluate("shown => document.querySelectorAll('details').forEach(each => each.open = shown)", shown)


def test_it_loads_in_silence_and_fits_the_screen(visit: Visit) -> None:
    page = visit.page
    assert page.title() == "Overview · lively · Groundswell"
    all_quotes(page, shown=True)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    for scheme in in_each_scheme(page):
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (background == "rgb(16, 23, 27)") == (scheme == "dark")
        cell = page.locator("td.level-10").first
        assert cell.evaluate("each => getComputedStyle(each).backgroundColor") in (
            "rgb(0, 80, 102)",
            "rgb(124, 225, 225)",
        ), "the stylesheet passed the content security policy"
    assert visit.wrong == []


def test_every_text_has_enough_contrast(visit: Visit) -> None:
    all_quotes(visit.page, shown=True)
    for scheme in in_each_scheme(visit.page):
        assert visit.page.evaluate(FAINT) == [], scheme


def test_two_years_fit_a_laptop_and_scroll_on_a_phone(visit: Visit) -> None:
    hidden = visit.page.locator('.scroll[aria-labelledby="themes"]').evaluate(
        "each => each.scrollWidth - each.clientWidth"
    )
    assert (hidden > 0) == (visit.page.viewport_size["width"] < 1280)


def test_the_keyboard_reaches_the_first_quote_and_its_link(visit: Visit) -> None:
    page = visit.page
    all_quotes(page, shown=False)
    first = page.locator(".alerts details").first
    for _ in range(60):
        page.keyboard.press("Tab")
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", page.evaluate("document.activeElement.outerHTML")
        if first.locator("summary").evaluate("each => each === document.activeElement"):
            break
    else:
        pytest.fail("no way to the quotes by keyboard")
    page.keyboard.press("Enter")
    assert first.locator("blockquote").first.is_visible()
    page.keyboard.press("Tab")
    assert "/talks/" in page.evaluate("document.activeElement.href"), "where it is read"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent").startswith("hear it at")


@pytest.mark.long
def test_the_period_form_asks_for_its_months(browser: Any, address: str) -> None:
    page = browser.new_page()
    page.goto(address)
    page.get_by_label("From").fill("2025-04")
    page.get_by_label("to", exact=True).fill("2025-06")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url(f"{address}/?first=2025-04&last=2025-06*")
    assert page.locator(".heat .month").all_inner_texts() == ["Apr", "May", "Jun"]
    trends = page.get_by_role("link", name="Trends")
    assert trends.get_attribute("href") == "/trends?first=2025-04&last=2025-06"
    page.get_by_role("link", name="All talks", exact=True).click()
    page.wait_for_url(f"{address}/")
    assert page.locator(".heat .month").count() == 24
    page.close()


@pytest.mark.parametrize(
    "path", ["/", "/system", "/trends?first=2024-05&last=2025-02", "/topics?show=Night+Deploys"]
)
def test_a_phone_shows_the_page_below_a_short_head(browser: Any, address: str, path: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(address + path)
    head = page.locator("header").bounding_box()
    assert head["height"] < 844 / 4
    current = page.locator("nav [aria-current=page]").first.bounding_box()
    assert 0 <= current["x"] <= 390 - current["width"], "the row of pages has scrolled to the current one"
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    context.close()
