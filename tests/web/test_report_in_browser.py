"""Tests of the report as a file in a real browser: no errors or requests, legible on screen and paper."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from chromium import FAINT, SCREENS, Visit, in_each_scheme, needs_chromium
from studies import TODAY

from agents.queries.registry import VIEWS
from agents.report.facts import Made, gather
from agents.report.page import write
from streams.store.queries.selection import Selection
from streams.store.warehouse import Warehouse

pytestmark = [needs_chromium, pytest.mark.long]
MADE = Made("lively", TODAY, {"max_tokens": 300, "languages": ["en"]}, {"groundswell": "0.1.0"})


@pytest.fixture(scope="module")
def report(lively: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Path:
    facts = gather(lambda view, /, **parameters: VIEWS[view](lively, **parameters), Selection(), MADE)
    return write(facts, tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="module", params=SCREENS, ids=str)
def opened(browser: Any, report: Path, request: pytest.FixtureRequest) -> Iterator[Visit]:
    width, scheme = request.param
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    opened = Visit(context.new_page())
    opened.page.goto(report.as_uri())
    opened.page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    yield opened
    context.close()


def test_it_opens_silently_asks_nothing_and_fits_the_screen(opened: Visit, report: Path) -> None:
    page = opened.page
    assert page.title() == "lively: topics of talks"
    assert opened.wrong == []
    assert opened.asked == [report.as_uri()]
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    for scheme in in_each_scheme(page):
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert background == ("rgb(16, 23, 27)" if scheme == "dark" else "rgb(251, 250, 247)")


def test_every_text_has_enough_contrast(opened: Visit) -> None:
    for scheme in in_each_scheme(opened.page):
        assert opened.page.evaluate(FAINT) == [], scheme


def test_figures_take_the_colours_of_the_scheme(opened: Visit) -> None:
    names = opened.page.locator(".cooccurrence text", has_text="RAG Systems").first
    for scheme in in_each_scheme(opened.page):
        ink = opened.page.evaluate("getComputedStyle(document.body).color")
        assert names.evaluate("each => getComputedStyle(each).fill") == ink, scheme


def test_names_stay_within_their_boxes_in_the_treemap(opened: Visit) -> None:
    beyond = opened.page.evaluate(
        """() => {
          const drawing = document.querySelector(".treemap svg").getBoundingClientRect();
          return [...document.querySelectorAll(".treemap text")].filter(text => {
            const box = text.getBoundingClientRect();
            return box.right > drawing.right + 1 || box.left < drawing.left - 1
              || box.bottom > drawing.bottom + 1;
          }).map(text => text.textContent);
        }"""
    )
    assert beyond == []


def test_headings_come_in_order_and_every_figure_has_a_name(opened: Visit) -> None:
    levels = opened.page.evaluate(
        "[...document.querySelectorAll('h1, h2, h3, h4')].map(each => Number(each.tagName[1]))"
    )
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    unnamed = "svg:not([role=img][aria-label]):not([aria-hidden=true])"
    assert opened.page.locator(unnamed).count() == 0
    assert opened.page.locator("svg[role=img]").count() == 3
    ids = opened.page.evaluate("[...document.querySelectorAll('[id]')].map(each => each.id)")
    assert len(ids) == len(set(ids))


def test_the_keyboard_reaches_what_scrolls_and_the_links(opened: Visit) -> None:
    page = opened.page
    page.evaluate("document.activeElement.blur()")
    reached = []
    for _ in range(4):
        page.keyboard.press("Tab")
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
        reached.append(page.evaluate("document.activeElement.className"))
    assert reached[0] == "skip" and "scroll" in reached


def test_on_paper_it_is_light_and_nothing_is_cut_off(browser: Any, report: Path) -> None:
    context = browser.new_context(viewport={"width": 700, "height": 900}, color_scheme="dark")
    page = context.new_page()
    page.goto(report.as_uri())
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(251, 250, 247)"
    assert len(page.pdf()) > 50_000
    context.close()
