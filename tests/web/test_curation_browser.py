"""Tests of curation in a real browser: by keyboard alone, in two tabs at once, on small and large screens."""

from collections.abc import Iterator
from typing import Any

import pytest
import studies
from chromium import SCREENS, Visit, barriers, needs_chromium
from page_process import web_of
from serving import served
from signed_in import token_of

from agents.queries.registry import VIEWS
from streams.settings import Settings
from streams.store.warehouse import Warehouse
from tests.talk_transcripts import COUGH, GUEST, HOST, SPOKEN, keep, transcript

pytestmark = [needs_chromium, pytest.mark.long]
PAGES = (
    "/curation",
    "/curation/topics/3",
    "/curation/topics/22",
    "/curation/theme",
    "/curation/theme?name=Costs",
    "/curation/preview?action=merge&topic_id=3&into=5",
    "/curation/preview?action=rename&topic_id=3&name=",
    "/curation/history",
    "/curation/review",
    "/curation/teach",
    "/curation/validate",
    "/curation/agreement",
    "/curation/speakers?video_id=talk0000010",
    "/account",
)


@pytest.fixture(scope="module")
def curated(chdb_home: Any) -> Iterator[Warehouse]:
    with Warehouse(Settings(home=chdb_home, study="curated_browser")) as warehouse:
        warehouse.migrate()
        studies.lively(warehouse)
        keep(warehouse, "talk0000010", studies.TRANSCRIPT, transcript(*SPOKEN))
        yield warehouse


@pytest.fixture(scope="module")
def address(curated: Warehouse) -> Iterator[str]:
    with served(web_of(curated)) as url:
        yield url.replace("127.0.0.1", "localhost")


def opened(browser: Any, address: str, token: str, width: int = 1280, scheme: str = "light") -> Visit:
    """Sign in by keyboard in a new profile of the browser; return the visit."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    visit = Visit(context.new_page())
    page = visit.page
    page.goto(f"{address}/login")
    page.get_by_label("Your token").press_sequentially(token)
    page.keyboard.press("Enter")
    page.wait_for_url("**/curation")
    return visit


def focused(page: Any) -> str:
    text: str = page.evaluate(
        "(document.activeElement.labels?.[0] ?? document.activeElement)"
        ".textContent.trim().replace(/\\s+/g, ' ')"
    )
    return text


def tab_to(page: Any, name: str, *, most: int = 80) -> None:
    """Press Tab until the element with this name has the focus, which must stay visible on the way."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            continue
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none", focused(page)
        if focused(page) == name:
            return
    pytest.fail(f"no way to {name!r} by keyboard")


def wrong(visit: Visit) -> list[str]:
    """Return the errors on the page; the end of the /live stream when the browser leaves a page is none."""
    return [each for each in visit.wrong if not each.endswith("/live")]


def newest(warehouse: Warehouse) -> int:
    revision: int = VIEWS["codebook_revision"](warehouse)["revision"]
    return revision


def name_of(warehouse: Warehouse, topic_id: int) -> str:
    topics = VIEWS["codebook_standing"](warehouse)["topics"]
    (row,) = [row for row in topics if row["topic_id"] == topic_id]
    return str(row["name"])


def test_a_topic_is_renamed_and_the_decision_undone_by_keyboard(
    browser: Any, address: str, curated: Warehouse
) -> None:
    visit = opened(browser, address, token_of(curated))
    page, revision = visit.page, newest(curated)
    tab_to(page, "Decide about Fine-Tuning")
    page.keyboard.press("Enter")
    page.wait_for_url("**/curation/topics/5")
    tab_to(page, "New name")
    page.keyboard.press("Control+a")
    page.keyboard.type("Fine-tuning and alignment")
    tab_to(page, "Preview the name")
    page.keyboard.press("Enter")
    page.wait_for_url("**/curation/preview**")
    assert "No number changes." in page.inner_text("main")
    assert newest(curated) == revision
    tab_to(page, "Note on the reason (optional)")
    page.keyboard.type("as people say")
    tab_to(page, "Confirm")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/curation?decided={revision + 1}")
    assert f"Revision {revision + 1} saved:" in page.inner_text("main")
    assert "Fine-tuning and alignment" in page.inner_text(".codebook >> nth=0")
    assert name_of(curated, 5) == "Fine-tuning and alignment"
    tab_to(page, "Undo")
    page.keyboard.press("Enter")
    page.wait_for_url("**/curation/preview?action=undo**")
    tab_to(page, "Confirm")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/curation?decided={revision + 2}")
    assert name_of(curated, 5) == ""
    assert wrong(visit) == []
    page.context.close()


def test_a_speaker_is_named_and_the_name_undone_by_keyboard(
    browser: Any, address: str, curated: Warehouse
) -> None:
    visit = opened(browser, address, token_of(curated))
    page = visit.page
    page.goto(f"{address}/talks/talk0000010")
    tab_to(page, "Listen to the speakers and name them", most=200)
    page.keyboard.press("Enter")
    page.wait_for_url("**/curation/speakers?video_id=talk0000010")
    assert page.locator("main h2").all_inner_texts() == [GUEST, HOST, COUGH]
    tab_to(page, "Yes, it is Bo Berg")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Remove the name").wait_for()
    assert page.locator("main h2").all_inner_texts() == ["Bo Berg", HOST, COUGH]
    tab_to(page, "Remove the name")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Yes, it is Bo Berg").wait_for()
    assert [row["name"] for row in VIEWS["corrections"](curated)] == ["", "Bo Berg"]
    assert wrong(visit) == []
    page.context.close()


def test_two_tabs_at_once_lose_nothing(browser: Any, address: str, curated: Warehouse) -> None:
    visit = opened(browser, address, token_of(curated))
    one, revision = visit.page, newest(curated)
    other = one.context.new_page()
    ask = f"{address}/curation/preview?action=exclude&topic_id="
    one.goto(f"{ask}3&reason=first")
    other.goto(f"{ask}4&reason=second")
    other.get_by_label("Note").fill("kept as written")
    one.get_by_role("button", name="Confirm").click()
    one.wait_for_url(f"**/curation?decided={revision + 1}")
    other.get_by_role("button", name="Confirm").click()
    told = other.get_by_role("alert")
    told.wait_for()
    assert "Memory (3) is excluded: first" in told.inner_text()
    assert newest(curated) == revision + 1
    assert other.get_by_label("Note").input_value() == "kept as written"
    other.get_by_role("button", name="Confirm anyway").click()
    other.wait_for_url(f"**/curation?decided={revision + 2}")
    excluded = other.get_by_role("table", name="Topics of Excluded").inner_text()
    assert "Memory" in excluded and "User Interfaces" in excluded
    assert [row["note"] for row in VIEWS["codebook_decisions"](curated, limit=2)] == ["kept as written", ""]
    one.context.close()


def test_quotes_come_when_they_are_asked_for(browser: Any, address: str, curated: Warehouse) -> None:
    context = browser.new_context()
    visit = Visit(context.new_page())
    page = visit.page
    page.goto(f"{address}/curation")
    assert page.locator("blockquote").count() == 0
    page.get_by_text("Words and quotes of RAG Systems").click()
    page.locator("blockquote").first.wait_for()
    assert page.locator("blockquote").count() == 3
    assert "What it is about" not in page.inner_text("main"), "only the part that was asked for"
    assert wrong(visit) == []
    context.close()


def test_without_scripts_a_topic_is_merged(browser: Any, address: str, curated: Warehouse) -> None:
    context = browser.new_context(java_script_enabled=False)
    page, revision = context.new_page(), newest(curated)
    page.goto(f"{address}/login")
    page.get_by_label("Your token").fill(token_of(curated))
    page.locator("main button").click()
    page.goto(f"{address}/curation/topics/9")
    page.get_by_label("Merge it into").select_option("8")
    page.get_by_role("button", name="Preview the merge").click()
    assert "no longer counts" in page.inner_text("main")
    page.get_by_role("button", name="Confirm").click()
    assert page.url == f"{address}/curation?decided={revision + 1}"
    assert "LLM Optimization (merged)" in page.inner_text("main")
    context.close()


def test_a_review_goes_by_single_keys_unless_switched_off(
    browser: Any, address: str, curated: Warehouse
) -> None:
    visit = opened(browser, address, token_of(curated, "Reviewer"))
    page = visit.page
    page.goto(f"{address}/curation/review")
    assert page.locator("form kbd:visible").all_inner_texts() == ["i", "e", "t", "n", "Enter", "s"]
    page.keyboard.press("i")
    page.keyboard.press("n")
    page.keyboard.type("nice to see")  # in a text field, letters are no shortcuts
    page.keyboard.press("Enter")
    page.wait_for_url("**/curation/review?after=1")
    (row,) = [row for row in VIEWS["codebook_judgements"](curated) if row["reviewer"] == "Reviewer"]
    assert (row["topic_id"], row["verdict"], row["note"]) == (1, "include", "nice to see")
    page.locator("main").focus()
    page.keyboard.press("e")
    page.keyboard.press("Enter")
    page.wait_for_url("**/curation/review?after=2")
    page.get_by_label("Use the shortcut keys shown").uncheck()
    assert page.locator("form kbd:visible").count() == 0
    page.locator("main").focus()
    page.keyboard.press("i")
    assert not page.get_by_label("Include").is_checked()
    assert wrong(visit) == []
    page.context.close()


@pytest.mark.parametrize("screen", SCREENS)
def test_every_page_fits_and_everybody_can_use_it(
    browser: Any, address: str, curated: Warehouse, screen: tuple[int, str]
) -> None:
    visit = opened(browser, address, token_of(curated), *screen)
    page = visit.page
    for path in PAGES:
        page.goto(address + path)
        assert page.locator("h1").count() == 1, path
        assert barriers(page) == [], path
    page.context.clear_cookies()
    for path in ("/login", "/curation"):
        page.goto(address + path)
        assert barriers(page) == [], path
    assert [each for each in wrong(visit) if "422" not in each] == []
    page.context.close()


def test_a_session_that_ended_is_said_and_nothing_changed(
    browser: Any, address: str, curated: Warehouse
) -> None:
    visit = opened(browser, address, token_of(curated))
    page, revision = visit.page, newest(curated)
    page.goto(f"{address}/curation/preview?action=create%20theme&name=Late")
    page.context.clear_cookies()
    page.get_by_role("button", name="Confirm").click()
    page.wait_for_url("**/login?next=*")
    page.get_by_text("You are no longer signed in, so nothing was changed").wait_for()
    assert newest(curated) == revision
    page.context.close()


def test_a_form_outlives_its_session(browser: Any, address: str, curated: Warehouse) -> None:
    visit = opened(browser, address, token_of(curated))
    page, revision = visit.page, newest(curated)
    page.goto(f"{address}/curation/preview?action=exclude&topic_id=6&reason=too+broad")
    page.get_by_label("Note").fill("half an hour of thought")
    again = token_of(curated)  # the former token ends, and every session of it
    page.get_by_role("button", name="Confirm").click()
    page.wait_for_url("**/login?next=*")
    page.get_by_label("Your token").fill(again)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/curation/preview?action=exclude*")
    page.get_by_text("the form is as you left it").wait_for()
    assert newest(curated) == revision, "nothing is sent that nobody sends"
    assert page.get_by_label("Note").input_value() == "half an hour of thought"
    assert focused(page) == "Confirm"
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/curation?decided={revision + 1}")
    (made, *_) = VIEWS["codebook_decisions"](curated)
    assert made["note"] == "half an hour of thought"
    assert [each for each in wrong(visit) if "401" not in each] == []
    page.context.close()
