"""Tests of the page's own fonts: their files are there, and texts and charts are set in them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chromium import Visit, needs_chromium
from page_process import client_of, web_of
from serving import served

from agents.web import site
from streams.store.warehouse import Warehouse

SHEET = (Path(site.__file__).parent / "static" / "vendor" / "fonts.css").read_text()
SANS, SERIF = "Source Sans 3", "Source Serif 4"
LOADED = (
    "family => [...document.fonts].some(each => each.family.includes(family) && each.status === 'loaded')"
)
PICTURE = "figure => figure.querySelector('.canvas canvas').toDataURL()"


@pytest.fixture(scope="module")
def address(lively: Warehouse) -> Iterator[str]:
    with served(web_of(lively)) as address:
        yield address


async def test_every_font_of_the_style_sheet_is_sent_as_one_to_keep(lively: Warehouse) -> None:
    named = re.findall(r'url\("([^"]+)"\)', SHEET)
    assert len(named) == SHEET.count("@font-face") == len(set(named)) > 0
    async with client_of(lively) as client:
        for file in named:
            answer = await client.get(f"/static/vendor/{file}")
            assert (answer.status_code, answer.headers["content-type"]) == (200, "font/woff2")
            assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
            assert answer.content.startswith(b"wOF2")


async def test_a_page_loads_the_fonts_of_latin_letters_first(lively: Warehouse) -> None:
    async with client_of(lively) as client:
        html = (await client.get("/")).text
    first = re.findall(
        r'<link rel="preload" href="/static/vendor/([^"]+)" as="font" type="font/woff2" crossorigin>', html
    )
    assert [name.split("-normal-")[0] for name in first] == [
        "fonts/source-sans-3-latin",
        "fonts/source-serif-4-latin",
    ]
    assert all(f'url("{name}")' in SHEET for name in first)


@needs_chromium
def test_texts_are_set_in_the_pages_own_fonts(browser: Any, address: str) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    visit = Visit(context.new_page())
    visit.page.goto(f"{address}/topics")
    visit.page.evaluate("document.fonts.ready")
    for element, family in (("body", SANS), ("h1", SERIF)):
        set_in = visit.page.locator(element).evaluate("each => getComputedStyle(each).fontFamily")
        assert set_in.startswith(f'"{family}", ')
        assert visit.page.evaluate('family => document.fonts.check(`16px "${family}"`)', family)
        assert visit.page.evaluate(LOADED, family)
    asked = [url for url in visit.asked if url.endswith(".woff2")]
    assert len(asked) == len(set(asked)) == 2, "each once, and none of letters that are not on the page"
    assert visit.wrong == []
    context.close()


@needs_chromium
def test_a_chart_is_drawn_once_its_font_is_there(browser: Any, address: str) -> None:
    at_once, later = browser.new_page(), browser.new_page()
    at_once.goto(f"{address}/trends")
    held: list[Any] = []
    later.route("**/source-sans-3-latin-normal-*", lambda route: held.append(route))  # noqa: PLW0108 - a method of a list is not taken
    later.goto(f"{address}/trends", wait_until="domcontentloaded")
    for module in ("vendor/echarts.js", "charts/lines.js"):
        later.evaluate("name => import(`/static/${name}`).then(() => null)", module)
    later.evaluate("new Promise(requestAnimationFrame)")
    assert later.locator("figure").first.get_attribute("data-drawn") is None
    held[0].continue_()
    pictures = [page.locator("figure[data-drawn]").first.evaluate(PICTURE) for page in (at_once, later)]
    assert pictures[0] == pictures[1]
    at_once.close()
    later.close()


@needs_chromium
def test_a_chart_is_drawn_without_its_font_too(browser: Any, address: str) -> None:
    page = browser.new_page()
    page.route("**/*.woff2", lambda route: route.abort())
    page.goto(f"{address}/trends")
    page.locator("figure[data-drawn]").wait_for()
    assert not page.evaluate(LOADED, SANS)
    page.close()


@needs_chromium
def test_a_chart_is_drawn_again_when_more_letters_come(browser: Any, address: str) -> None:
    page = browser.new_page()
    held: list[Any] = []

    def hold(route: Any) -> None:
        held.append(route)

    font = "**/source-sans-3-cyrillic-normal-*"
    page.route(font, hold)
    with page.expect_request(font):
        page.goto(f"{address}/trends?theme=Costs&words=%D1%80%D0%B5%D1%87%D1%8C", wait_until="commit")
    figure = page.locator("figure[data-drawn='1']").first
    figure.wait_for()
    before = figure.evaluate(PICTURE)
    held[0].continue_()
    page.locator("figure[data-drawn='2']").wait_for()
    assert page.locator("figure[data-drawn]").first.evaluate(PICTURE) != before
    page.close()
