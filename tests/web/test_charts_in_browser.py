"""Tests of the charts in a real browser: no errors, accessible, at every width, in both colour schemes."""

import json
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import pytest
from chromium import SCREENS, Visit, barriers, needs_chromium
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from page_process import Parts, Process, web_of
from PIL import Image
from serving import served

from agents.queries.timeline import timeline
from agents.web.app import build_web
from streams.store.queries import prevalence
from streams.store.queries.selection import Selection
from streams.store.warehouse import Warehouse

pytestmark = [needs_chromium, pytest.mark.long]
PAGES = (
    "/",
    "/trends",
    "/trends?of=topics&by=quarter&topic_id=1&topic_id=2&topic_id=21",
    "/composition",
    "/ranks",
    "/ranks?of=topics&by=month&most=15",
    "/compare?topic_id=1&topic_id=14&topic_id=21",
    "/compare",
    "/cooccurrence",
    "/cooccurrence/videos?topic_id=1&other_id=21",
    "/themes?theme=Costs&first=2024-06",
)
INK = """async canvas => {
  for (let frame = 0; frame < 2; frame += 1) await new Promise(requestAnimationFrame);
  let sum = 0;
  for (const layer of canvas.querySelectorAll("canvas")) {
    const pixels = layer.getContext("2d").getImageData(0, 0, layer.width, layer.height).data;
    for (let at = 0; at < pixels.length; at += 4) {
      sum = (sum * 31 + pixels[at] + 7 * pixels[at + 1] + 13 * pixels[at + 3]) % 1000003;
    }
  }
  return sum;
}"""
"""A number that differs between two drawings."""


@pytest.fixture(scope="module")
def address(lively: Warehouse) -> Iterator[str]:
    with served(web_of(lively)) as address:
        yield address


@pytest.fixture(scope="module", params=SCREENS, ids=str)
def visit(browser: Any, address: str, request: pytest.FixtureRequest) -> Iterator[Visit]:
    width, scheme = request.param
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    yield Visit(context.new_page())
    context.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    yield context.new_page()
    context.close()


def opened(page: Any, address: str) -> Any:
    """Open a page and wait until its charts are drawn; return the first chart."""
    page.goto(address)
    figures = page.locator("figure[data-chart]")
    for at in range(figures.count()):
        figures.nth(at).and_(page.locator("[data-drawn], [data-failed]")).wait_for()
    assert page.locator("figure[data-failed]").count() == 0
    return figures.first


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_drawn_in_silence_for_everyone(visit: Visit, address: str, path: str) -> None:
    visit.wrong.clear()
    opened(visit.page, address + path)
    visit.page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert visit.page.locator("h1").count() == 1
    assert barriers(visit.page) == []
    assert visit.page.locator("figure[data-failed]").count() == 0
    # The browser left the previous page while it listened to /live.
    assert [each for each in visit.wrong if not each.endswith("/live")] == []


@pytest.mark.parametrize(
    ("path", "control", "values"),
    [
        ("/", "theme", ["Costs", ""]),
        ("/trends", "layout", ["one", "each"]),
        ("/composition", "layout", ["river", "parts"]),
        ("/composition?by=month", "measure", ["minutes", "paragraphs"]),
        ("/compare?topic_id=1&topic_id=21", "band", ["", "all"]),
        ("/cooccurrence", "measure", ["jaccard", "lift", "videos"]),
    ],
)
def test_a_control_changes_the_drawing(
    page: Any, address: str, path: str, control: str, values: list[str]
) -> None:
    figure = opened(page, address + path)
    canvas = figure.locator(".canvas")
    seen = [canvas.evaluate(INK)]
    for value in values:
        figure.locator(f'[data-set="{control}"]').select_option(value)
        seen.append(canvas.evaluate(INK))
    assert len(set(seen)) == len(values), "each another drawing"
    assert seen[0] == seen[-1], "and back to the first"


def test_an_interval_can_be_chosen_in_one_picture_only(page: Any, address: str) -> None:
    figure = opened(page, f"{address}/trends")
    assert figure.get_by_label("Interval of").is_hidden()
    figure.get_by_label("Layout").select_option("One chart")
    canvas = figure.locator(".canvas")
    before = canvas.evaluate(INK)
    figure.get_by_label("Interval of").select_option("Costs")
    assert canvas.evaluate(INK) != before


def test_a_cell_leads_to_the_videos_of_both(page: Any, address: str, lively: Warehouse) -> None:
    figure = opened(page, f"{address}/cooccurrence?first=2024-01&most=20")
    drawn = page.evaluate("JSON.parse(document.querySelector('figure script').textContent)")
    one, other, videos, *_ = drawn["pairs"][0]
    canvas = figure.locator(".canvas")
    size = canvas.bounding_box()
    room, count = 190, len(drawn["topics"])
    cell = min(46, (size["width"] - room - 4) / count)
    canvas.click(position={"x": room + (other + 0.5) * cell, "y": room + (one + 0.5) * cell})
    page.wait_for_url("**/cooccurrence/videos?*")
    query = parse_qs(urlsplit(page.url).query)
    ids = [drawn["topics"][each]["id"] for each in (one, other)]
    assert query == {"first": ["2024-01"], "topic_id": [str(ids[0])], "other_id": [str(ids[1])]}
    assert page.locator("tbody tr").count() == videos == len(prevalence.videos(lively, *ids))


def test_a_theme_fills_the_treemap_and_a_topic_leads_to_its_page(page: Any, address: str) -> None:
    figure = opened(page, f"{address}/?first=2024-01")
    canvas = figure.locator(".canvas")
    canvas.click(position={"x": 60, "y": 12})
    theme = figure.get_by_label("Show").input_value()
    assert theme == page.locator("figure tbody .group th").first.text_content()
    canvas.click(position={"x": 60, "y": 200})
    page.wait_for_url(re.compile(r"/topics/\d+\?first=2024-01$"))


def test_a_line_shows_its_interval_and_a_point_its_talks(page: Any, address: str, lively: Warehouse) -> None:
    figure = opened(page, f"{address}/compare?topic_id=1&topic_id=2&topic_id=21&by=quarter&first=2024-01")
    canvas = figure.locator(".canvas")
    assert figure.get_by_label("Interval of").input_value() == "RAG Systems"
    drawn = page.evaluate("JSON.parse(document.querySelector('figure script').textContent)")
    born = drawn["lines"][2]["points"]
    at = max(range(1, len(born)), key=lambda place: born[place]["share"] + born[place - 1]["share"])
    size = canvas.bounding_box()
    right = min(230, size["width"] * 0.24)

    def place(points: list[tuple[float, float]], band: int) -> dict[str, float]:
        """Return the middle of points (index, share) while the band of a line is drawn."""
        # The scale ends at the next tenth above what is drawn: the shares, and the interval of one line.
        most = max(
            [point["share"] for line in drawn["lines"] for point in line["points"]]
            + [point["high"] for point in drawn["lines"][band]["points"]]
        )
        top = min(1.0, -(-most * 10 // 1) / 10)
        index, share = (sum(each) / len(points) for each in zip(*points, strict=True))
        return {
            "x": 46 + (size["width"] - 46 - right) * index / (len(born) - 1),
            "y": 16 + (size["height"] - 46) * (1 - share / top),
        }

    points = [(each, born[each]["share"]) for each in (at - 1, at)]
    canvas.click(position=place(points, 0))
    assert figure.get_by_label("Interval of").input_value() == drawn["lines"][2]["name"]
    canvas.click(position=place(points[1:], 2))
    page.wait_for_url("**/topics/21?*")
    year, quarter = drawn["months"][at].split("-Q")
    first, last = (f"{year}-{3 * int(quarter) + month:02}" for month in (-2, 0))
    assert parse_qs(urlsplit(page.url).query) == {"first": [first], "last": [last]}
    listed = page.locator(".talklist li").count()
    assert listed == len(prevalence.videos(lively, 21, None, Selection(first, last))) == born[at]["videos"]


def test_a_band_stays_while_its_line_is_pointed_at(page: Any, address: str) -> None:
    figure = opened(page, f"{address}/themes?theme=Costs")
    canvas = figure.locator(".canvas")
    drawn = page.evaluate("JSON.parse(document.querySelector('figure script').textContent)")
    points, size = drawn["lines"][0]["points"], canvas.bounding_box()
    step = (size["width"] - 46 - 16) / (len(points) - 1)
    colour = """(canvas, [x, y]) => {
      const layer = canvas.querySelector("canvas");
      const scale = layer.width / layer.clientWidth;
      return [...layer.getContext("2d").getImageData(x * scale, y * scale, 1, 1).data];
    }"""
    inside = [46 + 0.5 * step, 16 + (size["height"] - 46) * (1 - points[0]["high"] + 0.1)]
    before = canvas.evaluate(colour, inside)
    assert before[3] > 0, "the place is in the band"
    end = len(points) - 2
    y = 16 + (size["height"] - 46) * (1 - points[end]["share"])
    canvas.hover(position={"x": 46 + step * end, "y": y})
    canvas.evaluate(INK)
    assert canvas.evaluate(colour, inside) == before


def test_a_theme_whose_topics_are_too_small_has_its_colour(page: Any, address: str) -> None:
    opened(page, f"{address}/")
    colours = page.evaluate("""async () => {
      const data = JSON.parse(document.querySelector("#treemap script").textContent);
      const level = [..."0123456789"];
      const look = { level, font: "serif", narrow: false, width: 900, boxOf: () => null };
      const { option } = await import("/static/charts/treemap.js");
      return option(data, look).series[0].data.map((theme) => theme.itemStyle?.color);
    }""")
    assert len(colours) == 8 and set(colours) <= set("0123456789")


def test_a_part_of_a_bar_leads_to_its_talks(page: Any, address: str, lively: Warehouse) -> None:
    figure = opened(page, f"{address}/composition?by=year&last=2025-06")
    canvas = figure.locator(".canvas")
    size = canvas.bounding_box()
    # Just above the axis lies the first part of a column; the second of two columns is 2025.
    figure.locator(".canvas").click(
        position={"x": 46 + 0.75 * (size["width"] - 56), "y": size["height"] - 40}
    )
    page.wait_for_url("**/themes?*")
    drawn = prevalence.themes(lively, Selection(None, "2025-06"))
    query = parse_qs(urlsplit(page.url).query)
    assert query == {"first": ["2025-01"], "last": ["2025-06"], "theme": [drawn[0]["theme"]]}
    found = prevalence.theme_videos(lively, drawn[0]["theme"], Selection("2025-01", "2025-06"))
    assert page.locator(".talklist li").count() == min(20, len(found))


@pytest.mark.parametrize("path", ["/", "/trends", "/composition", "/ranks", "/cooccurrence"])
def test_a_saved_picture_says_what_it_shows(page: Any, address: str, path: str, tmp_path: Path) -> None:
    figure = opened(page, f"{address}{path}?first=2024-06")
    kept: dict[str, bytes] = {}
    for kind in ("SVG", "PNG"):
        with page.expect_download() as waiting:
            figure.get_by_role("button", name=kind).click()
        assert waiting.value.suggested_filename == f"{figure.get_attribute('id')}.{kind.lower()}"
        waiting.value.save_as(tmp_path / kind)
        kept[kind] = (tmp_path / kind).read_bytes()
    svg = ElementTree.fromstring(kept["SVG"])
    said = [each.text for each in svg.findall("{http://www.w3.org/2000/svg}text")]
    assert said[0] == figure.get_by_role("heading").first.inner_text()
    assert said[1] == "from 2024-06 · study lively"
    assert said[2] == figure.get_attribute("data-axes")
    told = any("is not over yet; its numbers will still grow." in str(each) for each in said)
    assert told == (path in {"/trends", "/ranks", "/composition"})
    assert str(said[-1]).startswith("Made with Groundswell (127.0.0.1:")
    drawn = svg.find("{http://www.w3.org/2000/svg}svg")
    assert drawn is not None and len(list(drawn.iter())) > 20
    assert kept["PNG"].startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", kept["PNG"][16:24])
    assert (width, height) == (2 * int(svg.attrib["width"]), 2 * int(svg.attrib["height"]))
    with Image.open(tmp_path / "PNG") as image:
        assert len(image.getcolors(maxcolors=1_000_000) or []) > 50, "the chart is on it"


LICENCE = f"CC BY 4.0, {'Example Institute of Applied Talk Research and Community Studies, ' * 2}"[:120]


def test_a_saved_picture_ends_with_the_licence(browser: Any, lively: Warehouse, tmp_path: Path) -> None:
    settings = lively.settings.model_copy(update={"web_licence": LICENCE})
    process: Any = Process(settings, Parts(lively))
    with served(build_web(process)) as address:
        for width in (1280, 360):
            context = browser.new_context(viewport={"width": width, "height": 900}, accept_downloads=True)
            figure = opened(context.new_page(), f"{address}/trends?of=topics")
            with figure.page.expect_download() as waiting:
                figure.get_by_role("button", name="SVG").click()
            waiting.value.save_as(tmp_path / "SVG")
            svg = ElementTree.parse(tmp_path / "SVG").getroot()
            texts = svg.findall("{http://www.w3.org/2000/svg}text")
            (made,) = (at for at, each in enumerate(texts) if str(each.text).startswith("Made with"))
            last = texts[made + 1 :]
            assert " ".join(str(each.text) for each in last).endswith(f"Licence: {LICENCE.strip()}")
            assert all(each.attrib["font-family"].startswith('"Source Sans 3"') for each in texts)
            assert "data:font/woff2;base64," in "".join(svg.itertext()), "for who has not installed it"
            assert float(last[-1].attrib["y"]) < float(svg.attrib["height"])
            context.close()


def test_events_are_on_the_time_axis(page: Any, address: str, lively: Warehouse) -> None:
    figure = opened(page, f"{address}/trends")
    data = json.loads(figure.locator('script[type="application/json"]').inner_text())
    events = timeline(lively)
    assert data["events"]["2025-07"] == ["New topic: mcp, server, protocol"]
    assert sum(map(len, data["events"].values())) == len(events) > 1
    page.get_by_text("Events:").click()
    page.get_by_role("link", name="New topic: mcp, server, protocol").click()
    page.wait_for_url("**/emerging#alert-*")
    opened(page, f"{address}/trends?by=year")


def test_what_a_reader_chose_in_a_chart_is_in_the_address(page: Any, address: str) -> None:
    figure = opened(page, f"{address}/trends?of=topics")
    figure.get_by_label("Layout").select_option("One chart")
    assert parse_qs(urlsplit(page.url).query) == {"of": ["topics"], "months.layout": ["one"]}
    figure = opened(page, page.url)
    assert figure.get_by_label("Layout").input_value() == "one"
    assert figure.get_by_label("Interval of").is_visible(), "which only one chart offers"
    figure = opened(page, f"{address}/trends?months.layout=nonsense")
    assert figure.get_by_label("Layout").input_value() == "each"


def test_a_drag_across_a_chart_zooms_into_the_period(page: Any, address: str) -> None:
    figure = opened(page, f"{address}/trends?months.layout=one&theme=Costs&show=Night+Deploys")
    data = json.loads(figure.locator('script[type="application/json"]').inner_text())
    box = figure.locator(".canvas").bounding_box()
    left, right = box["x"] + 46, box["x"] + box["width"] - 14
    step = (right - left) / (len(data["months"]) - 1)
    page.mouse.move(left + 2 * step, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(left + 5 * step, box["y"] + 120, steps=4)
    assert figure.locator(".brush").is_visible()
    page.mouse.up()
    page.wait_for_url("**first=*")
    asked = parse_qs(urlsplit(page.url).query)
    assert (asked["first"], asked["last"]) == ([data["months"][2]], [data["months"][5]])
    assert (asked["theme"], asked["show"]) == (["Costs"], ["Night Deploys"])
    figure = opened(page, page.url)
    zoomed = json.loads(figure.locator('script[type="application/json"]').inner_text())["months"]
    assert zoomed and data["months"][2] <= zoomed[0] and zoomed[-1] <= data["months"][5]


@pytest.mark.parametrize("allowed", [True, False])
def test_a_chart_is_embedded_in_an_allowed_site(page: Any, lively: Warehouse, allowed: bool) -> None:
    site = FastAPI()
    with served(site) as intranet:
        frames = [intranet] if allowed else []
        settings = lively.settings.model_copy(update={"web_frames": frames})
        process: Any = Process(settings, Parts(lively))
        with served(build_web(process)) as address:
            frame = f'<iframe src="{address}/trends?embed=1#months" width="900" height="600"></iframe>'
            site.get("/")(lambda: HTMLResponse(frame))
            page.goto(intranet)
            inside = page.frame_locator("iframe")
            if not allowed:
                assert inside.locator("figure").count() == 0
                return
            inside.locator("figure[data-drawn]").wait_for()
            assert inside.get_by_role("heading", name="Share of each month’s talks").is_visible()
            for other in ("header.masthead", "footer", "h1", "form.choose"):
                assert inside.locator(other).first.is_hidden(), other
            inside.get_by_text("Show as table").click()
            assert inside.locator("figure table").is_visible()


def test_a_chart_is_drawn_anew_when_the_scheme_changes(page: Any, address: str) -> None:
    figure = opened(page, f"{address}/ranks")
    light = figure.locator(".canvas").evaluate(INK)
    page.get_by_role("button", name="Switch between light and dark").click()
    assert page.evaluate("document.documentElement.dataset.scheme") == "dark"
    assert figure.locator(".canvas").evaluate(INK) != light


def test_labels_at_the_ends_of_lines_keep_apart(page: Any, address: str) -> None:
    opened(page, f"{address}/trends")
    placed = page.evaluate(
        """async () => {
          const { spread } = await import("/static/charts/fitting.js");
          return [spread([100, 100, 100, 20], 17, 0, 100), spread([0, 1], 17, 0, 100), spread([], 17, 0, 9)];
        }"""
    )
    assert placed[0] == [66, 83, 100, 20]
    assert placed[1] == [0, 17]
    assert placed[2] == []


def test_a_label_is_broken_between_words_or_shortened(page: Any, address: str) -> None:
    opened(page, f"{address}/trends")
    fitted = page.evaluate(
        """async () => {
          const { fit, widthOf } = await import("/static/charts/fitting.js");
          const font = "13px sans-serif";
          const of = (text, width, lines) => fit(text, width, lines, font);
          const narrow = widthOf("Infrastructure", font) - 5;
          return [of("Cloud Security", 400, 2), of("Cloud Security", widthOf("Security", font) + 1, 2),
                  of("Infrastructure", narrow, 1), of("Cloud", 12, 3), of("x".repeat(9999), 100, 3)];
        }"""
    )
    assert fitted[:2] == ["Cloud Security", "Cloud\nSecurity"]
    assert re.fullmatch(r"Infrastruct\w*…", fitted[2])
    assert fitted[3] == ""
    assert len(fitted[4]) < 60


def test_filters_offer_their_choices_when_opened(page: Any, address: str) -> None:
    opened(page, f"{address}/trends")
    assert page.locator("#all-show option").count() == 0
    page.get_by_text("More filters").click()
    page.locator("#all-show option").first.wait_for(state="attached")
    assert page.locator("#all-show option").count() == 4
    page.get_by_label("Show", exact=True).first.fill("Night Deploys")
    page.get_by_role("button", name="Show", exact=True).click()
    page.wait_for_url(re.compile(r"show=Night(%20|\+)Deploys"))
    assert page.get_by_role("heading", name="Trends").is_visible(), "empty fields are no wrong filters"
    assert page.locator(".chosen").inner_text() == "Show: Night Deploys"
    page.get_by_text("More filters (1)").click()
    page.locator("#all-show option").first.wait_for(state="attached")
    assert page.get_by_label("Show", exact=True).first.input_value() == "Night Deploys"


def test_a_boosted_page_draws_its_charts_as_well(page: Any, address: str) -> None:
    visit = Visit(page)
    opened(page, f"{address}/trends")
    page.get_by_role("link", name="Ranks").click()
    page.wait_for_url("**/ranks")
    page.locator('figure[data-chart="ranks"][data-drawn]').wait_for()
    page.get_by_role("link", name="Topics", exact=True).last.click()
    page.wait_for_url(re.compile(r"/ranks\?.*of=topics"))
    page.locator('figure[data-chart="ranks"][data-drawn]').wait_for()
    assert [each for each in visit.wrong if not each.endswith("/live")] == []


def test_links_and_forms_load_their_page_without_a_reload(page: Any, address: str) -> None:
    opened(page, f"{address}/trends")
    page.evaluate("window.stayed = true")
    page.get_by_role("link", name="Ranks").click()
    page.wait_for_url("**/ranks")
    page.get_by_label("From").fill("2025-01")
    page.get_by_role("button", name="Show", exact=True).click()
    page.wait_for_url(re.compile(r"first=2025-01"))
    assert page.evaluate("window.stayed")
    with page.expect_navigation(wait_until="load"):
        page.get_by_role("link", name="This page as JSON").click()
    assert not page.evaluate("window.stayed"), "the address of a file is opened by the browser"


def test_a_boosted_page_loads_its_table_when_it_is_opened(page: Any, address: str) -> None:
    opened(page, f"{address}/ranks")
    page.get_by_text("Show as table").click()
    whole = page.locator("#ranks-table").inner_text()
    opened(page, f"{address}/trends")
    page.get_by_role("link", name="Ranks").click()
    page.wait_for_url("**/ranks")
    assert page.locator("figure table").count() == 0, "it would take longer than the rest of the page"
    page.get_by_text("Show as table").click()
    page.locator("#ranks-table tbody a").first.wait_for()
    assert page.locator("#ranks-table").inner_text() == whole
    page.locator("#ranks-table tbody a").first.click()
    page.wait_for_url("**/themes?*")


def test_without_scripts_every_number_is_there(browser: Any, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/cooccurrence")
    assert page.locator(".canvas").is_hidden()
    page.get_by_text("Show as table").click()
    page.locator(".twin tbody a").first.click()
    page.wait_for_url("**/cooccurrence/videos?*")
    assert page.locator("tbody tr").count() > 0
    context.close()
