"""The page in a real browser: both widths, both colour schemes, mouse and keyboard."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from page_process import web_of

from streams.store.warehouse import Warehouse

sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = Path("/usr/bin/chromium")
pytestmark = pytest.mark.skipif(
    not CHROMIUM.exists(), reason=f"there is no {CHROMIUM}: apt-get install -y chromium"
)
SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SCREENS = [(360, "light"), (360, "dark"), (1280, "light"), (1280, "dark"), (1920, "light")]

FAINT = """() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgba = colour => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(
    v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4
  ).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = element => {
    for (let at = element; at; at = at.parentElement) {
      const colour = rgba(getComputedStyle(at).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255];
  };
  const faint = [];
  for (const element of document.querySelectorAll("body *:not(.unseen, svg *)")) {
    const text = [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim());
    if (!text || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const [low, high] = [light(rgba(style.color)), light(ground(element))].sort((a, b) => a - b);
    const size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    const ratio = (high + 0.05) / (low + 0.05);
    if (ratio < (large ? 3 : 4.5)) faint.push([element.className, element.textContent.slice(0, 30), ratio]);
  }
  return faint;
}"""
"""Texts with less contrast than WCAG 2.2 asks for at level AA (1.4.3)."""


@dataclass
class Visit:
    """An open page, and what went wrong on it."""

    page: Any
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", lambda message: self.wrong.append(message.text))
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("dialog", lambda dialog: self.wrong.append(f"dialog: {dialog.message}"))
        self.page.on("requestfailed", lambda request: self.wrong.append(request.url))


@pytest.fixture(scope="module")
def address(lively: Warehouse) -> Iterator[str]:
    config = uvicorn.Config(web_of(lively), port=0, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    listening = config.bind_socket()
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join(10)
    listening.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(SWITCHES))
        yield browser
        browser.close()


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
    assert page.title() == "lively · Groundswell"
    all_quotes(page, shown=True)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") == (
        page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(16, 23, 27)"
    )
    assert page.locator("td.level-10").first.evaluate("each => getComputedStyle(each).backgroundColor") in (
        "rgb(0, 80, 102)",
        "rgb(124, 225, 225)",
    ), "the stylesheet passed the content security policy"
    assert visit.wrong == []


def test_every_text_has_enough_contrast(visit: Visit) -> None:
    all_quotes(visit.page, shown=True)
    assert visit.page.evaluate(FAINT) == []


def test_two_years_fit_a_laptop_and_scroll_on_a_phone(visit: Visit) -> None:
    hidden = visit.page.locator('.scroll[aria-labelledby="themes"]').evaluate(
        "each => each.scrollWidth - each.clientWidth"
    )
    assert (hidden > 0) == (visit.page.viewport_size["width"] < 1280)


def test_the_keyboard_reaches_the_first_quote_and_its_link(visit: Visit) -> None:
    page = visit.page
    all_quotes(page, shown=False)
    first = page.locator(".topics details").first
    for _ in range(25):
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
    assert page.evaluate("document.activeElement.textContent").startswith("hear it at")


def test_the_period_form_asks_for_its_months(browser: Any, address: str) -> None:
    page = browser.new_page()
    page.goto(address)
    page.get_by_label("From").fill("2025-04")
    page.get_by_label("to", exact=True).fill("2025-06")
    page.get_by_role("button", name="Show").click()
    assert page.url == f"{address}/?first=2025-04&last=2025-06"
    assert page.locator(".heat .month").all_inner_texts() == ["Apr", "May", "Jun"]
    page.get_by_role("link", name="Whole time").click()
    assert page.locator(".heat .month").count() == 24
    page.close()
