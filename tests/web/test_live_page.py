"""Tests of live updates in a real browser: a study's events appear on open pages."""

from collections.abc import Iterator
from typing import Any

import pytest
import studies
from chromium import Visit, needs_chromium
from live_events import alert, say_it
from page_process import web_of
from serving import served

from streams.store.warehouse import Warehouse

pytestmark = needs_chromium


@pytest.fixture
def study(new_study: Warehouse) -> Warehouse:
    new_study.migrate()
    studies.small(new_study)
    return new_study


@pytest.fixture
def address(study: Warehouse) -> Iterator[str]:
    with served(web_of(study)) as url:
        yield url


@pytest.mark.long
def test_a_new_talk_and_an_alert_appear_without_a_reload(
    browser: Any, address: str, study: Warehouse
) -> None:
    context = browser.new_context()
    visit = Visit(context.new_page())
    page = visit.page
    page.goto(address)
    page.evaluate("window.untouched = true")
    page.locator("#counts dd").first.get_by_text("6").wait_for()
    page.wait_for_timeout(500)  # the page shows as new only what follows its first look
    say_it(study, 6, f"Retrieval at sea {studies.SCRIPT} \u202eback")
    page.locator("#counts dd").first.get_by_text("7").wait_for()
    page.locator("#newest-talks").get_by_text("Retrieval at sea").wait_for()
    assert "1 new talk: \u2068Retrieval at sea <script>alert(1)</script> back\u2069." in (
        page.locator("#said").inner_text()
    )
    alert(study, "New topic: sails")
    page.locator("#news").get_by_text("New topic: sails").wait_for()
    page.wait_for_function("document.getElementById('said').textContent.startsWith('Alert: ')")
    assert page.evaluate("window.untouched"), "the page was not loaded again"
    assert visit.wrong == []
    context.close()


@pytest.mark.long
def test_a_hidden_page_disconnects_and_hears_what_it_missed(
    browser: Any, address: str, study: Warehouse
) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(address)
    page.wait_for_timeout(500)
    hide = """hidden => {
      Object.defineProperty(document, "hidden", {configurable: true, value: hidden});
      document.dispatchEvent(new Event("visibilitychange"));
    }"""
    page.evaluate(hide, True)
    say_it(study, 6, "Said meanwhile")
    page.wait_for_timeout(500)
    assert page.locator("#counts dd").first.inner_text() == "6"
    page.evaluate(hide, False)
    page.locator("#newest-talks").get_by_text("Said meanwhile").wait_for()
    context.close()
