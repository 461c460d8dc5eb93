"""The five main journeys, each from its first page to its end in a real browser."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import studies
from chromium import Visit, needs_chromium
from live_events import alert, say_it
from page_process import Parts, web_of
from serving import served
from signed_in import token_of

from agents.queries.registry import VIEWS
from streams.settings import Settings
from streams.store.warehouse import Warehouse
from streams.store.writer import write
from tests.loopback_youtube import FakeVideo, LoopbackYouTube

pytestmark = [needs_chromium, pytest.mark.long]


@pytest.fixture
def study(chdb_home: Path) -> Iterator[Warehouse]:
    """Yield a lively study, whose decisions and judgements stay from one journey to the next."""
    with Warehouse(Settings(home=chdb_home, study="journeys")) as warehouse:
        if warehouse.migrate():
            studies.unsorted(warehouse)
            for title in ("Agents are new", "Voice is new"):
                alert(warehouse, title)
        yield warehouse


@pytest.fixture
def visit(browser: Any) -> Iterator[Visit]:
    """Yield a page of a browser that nobody has used before; at its end there is no error on it."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    visit = Visit(context.new_page())
    yield visit
    assert [each for each in visit.wrong if not each.endswith("/live")] == []
    context.close()


def at_home(address: str) -> str:
    """Return the address under the name that browsers trust with cookies and the clipboard."""
    return address.replace("127.0.0.1", "localhost")


def signed_in(visit: Visit, address: str, study: Warehouse) -> Any:
    token = token_of(study)
    visit.page.goto(f"{address}/login?next=/")
    visit.page.get_by_label("Your token").fill(token)
    visit.page.get_by_role("button", name="Sign in").click()
    visit.page.wait_for_url(f"{address}/")
    return visit.page


def test_from_the_first_start_to_the_first_topic(chdb_home: Path, visit: Visit) -> None:
    page = visit.page
    with LoopbackYouTube() as youtube:
        youtube.add(*(FakeVideo(f"talk{n:07}", f"How we ship, part {n}") for n in range(8)))
        settings = Settings(home=chdb_home, study="first_run", proxy=youtube.proxy, insecure_tls=True)
        with Warehouse(settings) as study:
            study.migrate()
            web = web_of(study, parts=Parts(study))
            with served(web) as url:
                address = at_home(url)
                page.goto(web.state.access.first.link(address))
                page.get_by_label("Your name").fill("Ottilie")
                page.get_by_role("button", name="Sign in").click()
                page.get_by_role("heading", name="You are signed in as Ottilie").wait_for()
                page.get_by_role("link", name="Go to the overview").click()
                page.get_by_label("A channel, a playlist").fill("@Meetup")
                page.get_by_role("button", name="Preview").click()
                page.get_by_text("How we ship, part 7").wait_for()
                page.get_by_role("button", name="Add", exact=True).click()
                page.get_by_text("is now watched").wait_for()
                page.get_by_role("link", name="Overview").click()
                page.get_by_text("1 source is watched").wait_for()

                # The first talks come in while the page is open, and it follows by itself.
                for number in range(3):
                    write(study, studies.seen(studies.video(f"waits{number}", "2025-04-01")))
                page.get_by_label("Topics found").wait_for()
                write(study, studies.topic(1, "RAG", "Architecture"))
                write(study, studies.topic(3, "Evaluation", "Evaluation"))
                say_it(study, 0, "First")
                page.locator(".heat").get_by_role("link", name="Architecture").wait_for()


def test_from_a_theme_over_a_month_and_a_talk_to_a_quote(study: Warehouse, visit: Visit) -> None:
    page = visit.page
    with served(web_of(study)) as url:
        page.goto(at_home(url))
        page.locator(".heat").get_by_role("link", name="Costs").click()
        page.get_by_role("heading", name="Costs", exact=True).wait_for()
        page.get_by_text("Show as table").click()
        page.locator("#months tbody a").filter(has_text=re.compile("^[1-9]")).last.click()
        page.get_by_text("all time").wait_for()
        page.locator("ol.talklist a").first.click()
        page.wait_for_url("**/talks/*")
        said = page.locator(".transcript li").filter(has=page.get_by_role("link", name="Pricing")).first
        second = said.locator("[data-play]").first
        address = str(second.get_attribute("href"))
        assert f"t={second.get_attribute('data-play')}" in address, "the recording, at the paragraph's second"


def test_from_an_alert_to_a_judgement_and_the_next(study: Warehouse, visit: Visit) -> None:
    with served(web_of(study)) as url:
        page = signed_in(visit, at_home(url), study)
        page.get_by_role("link", name="See the topic").first.click()
        page.wait_for_url("**/topics/*")
        page.go_back()
        page.get_by_role("link", name="Emerging", exact=True).click()
        page.wait_for_url("**/emerging")
        cards = page.locator(".cards > .card")
        first, second = cards.nth(0), cards.nth(1)
        name, other = (each.get_by_role("heading").first.inner_text() for each in (first, second))
        first.get_by_role("button", name="Confirm").click()
        first.get_by_text("confirmed by Ottilie").wait_for()
        second.get_by_label("Reason").fill("one talk only")
        second.get_by_role("button", name="Dismiss").click()
        page.get_by_text("1 dismissed").wait_for()
    verdicts = {row["title"]: (row["verdict"], row["note"]) for row in VIEWS["emerging"](study)}
    assert (verdicts[name], verdicts[other]) == (("confirmed", ""), ("dismissed", "one talk only"))


def test_from_a_new_topic_to_its_name_and_theme(study: Warehouse, visit: Visit) -> None:
    with served(web_of(study)) as url:
        page = signed_in(visit, at_home(url), study)
        page.get_by_role("link", name="Topics", exact=True).click()
        page.get_by_role("link", name="voice, calls, accents").first.click()
        page.get_by_role("link", name="Rename, place or merge it").click()
        page.get_by_label("New name").fill("Voice assistants")
        page.get_by_role("button", name="Preview the name").click()
        page.get_by_role("button", name="Confirm").click()
        page.wait_for_url("**/curation?decided=*")
        page.get_by_role("link", name="Decide about Voice assistants").click()
        page.get_by_label("Theme", exact=True).select_option("Costs")
        page.get_by_role("button", name="Preview the theme").click()
        page.get_by_role("heading", name="Effect on the numbers").wait_for()
        page.get_by_role("button", name="Confirm").click()
        page.wait_for_url("**/curation?decided=*")
    topic = VIEWS["topic"](study, topic_id=studies.UNSORTED)
    assert (topic["name"], topic["theme"]) == ("Voice assistants", "Costs")


def test_from_two_periods_to_their_export(study: Warehouse, visit: Visit) -> None:
    page = visit.page
    with served(web_of(study)) as url:
        page.goto(f"{at_home(url)}/trends?first=2025-01&last=2025-06")
        page.get_by_role("link", name="Differences").click()
        page.get_by_label("Other talks from").fill("2024-01")
        page.get_by_label("to", exact=True).last.fill("2024-06")
        page.get_by_role("button", name="Compare").click()
        page.wait_for_url("**other_last=2024-06*")
        shown = page.locator("main table tbody tr").all_inner_texts()
        with page.expect_download() as download:
            page.get_by_role("link", name="CSV").click()
        rows = list(csv.DictReader(download.value.path().read_text().splitlines()))
    assert len(rows) == len(shown) > 3
    for row, told in zip(rows, shown, strict=True):
        assert told.startswith(row["name"]) and f"{100 * float(row['change']):+.1f}" in told
