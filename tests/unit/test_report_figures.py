"""Figures of the report: areas are true, nothing is lost, and the same facts give the same bytes."""

from __future__ import annotations

import itertools
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.queries.intervals import interval
from agents.queries.rows import Proportion
from agents.report.drawing import LEVELS, ON_HIGH, ON_LOW, ON_MIDDLE, ON_TILE, TILE_OF_OTHERS, TILES, label
from agents.report.facts import ReportMonth, ReportPair, ReportTheme, ReportTopic
from agents.report.figures import heatmap, order, treemap, trends
from agents.report.page import TEMPLATES
from agents.report.treemap import Bounds, Tiled, squarify, tile

GROUND = Bounds(0, 0, 691.2, 450)
HOSTILE = (
    "<script>alert(1)</script>",
    "Retrieval" * 1111,
    "סוכן \u202eتجربة",
    "🚀👩🏽‍💻 $x^2$ \\frac",
    "a\x00\x1b]b\ud800",
    "&]]>",
)
sizes = st.lists(st.integers(1, 500), min_size=1, max_size=12).map(lambda each: sorted(each, reverse=True))


def share(videos: int, of_videos: int = 178) -> Proportion:
    return {
        "videos": videos,
        "of_videos": of_videos,
        "share": videos / of_videos,
        **interval(videos, of_videos),
    }


def topic(number: int, videos: int, theme: str = "Theme", name: str = "") -> ReportTopic:
    return ReportTopic(
        number, name or f"Topic {number}", theme, share(videos), videos, 1.0, ("word",), None, None
    )


def theme(name: str, *topics: ReportTopic, months: tuple[ReportMonth, ...] = ()) -> ReportTheme:
    return ReportTheme(name, topics[0].counted, 9, 9.0, None, None, topics, months)


def pair(one: int, other: int, videos: int, jaccard: float) -> ReportPair:
    return ReportPair(one, f"Topic {one}", other, f"Topic {other}", videos, jaccard, 1.0)


def overlap(one: Bounds, other: Bounds) -> float:
    wide = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    high = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    return max(wide, 0.0) * max(high, 0.0)


def within(box: Bounds, ground: Bounds) -> bool:
    slack = 1e-6
    return (
        box.x >= ground.x - slack
        and box.y >= ground.y - slack
        and box.x + box.width <= ground.x + ground.width + slack
        and box.y + box.height <= ground.y + ground.height + slack
    )


@given(sizes)
def test_boxes_fill_their_ground_in_proportion_without_overlap(each: list[int]) -> None:
    boxes = squarify(each, GROUND)
    scale = GROUND.width * GROUND.height / sum(each)
    assert [box.width * box.height for box in boxes] == pytest.approx([size * scale for size in each])
    assert all(within(box, GROUND) for box in boxes)
    assert all(overlap(one, other) < 1e-6 for one, other in itertools.combinations(boxes, 2))


@given(st.lists(sizes, min_size=1, max_size=12))
def test_topic_areas_are_on_one_scale_in_spite_of_headings(groups: list[list[int]]) -> None:
    tiled = tile(groups, GROUND, heading=27.0)
    assert len(tiled) == len(groups)
    parts = [box for each in tiled for box in each.parts]
    scales = [
        box.width * box.height / size for box, size in zip(parts, itertools.chain(*groups), strict=True)
    ]
    assert scales == pytest.approx([scales[0]] * len(scales), rel=1e-6)
    wholes = [each.whole for each in tiled]
    assert sum(box.width * box.height for box in wholes) == pytest.approx(GROUND.width * GROUND.height)
    for boxes, ground in ((wholes, GROUND), *((each.parts, room(each)) for each in tiled)):
        assert all(within(box, ground) for box in boxes)
        assert all(overlap(one, other) < 1e-6 for one, other in itertools.combinations(boxes, 2))


def room(tiled: Tiled) -> Bounds:
    return tiled.whole._replace(height=tiled.whole.height - 27.0)


def test_nothing_fills_nothing() -> None:
    assert tile([], GROUND, heading=27.0) == []
    assert squarify([], GROUND) == []


@settings(deadline=None)  # scipy is imported by the first one
@given(
    st.integers(1, 20),
    st.dictionaries(st.tuples(st.integers(1, 20), st.integers(1, 20)), st.floats(0, 1), max_size=60),
)
def test_every_topic_is_ordered_once(count: int, jaccards: dict[tuple[int, int], float]) -> None:
    topics = [topic(number, 5) for number in range(1, count + 1)]
    together = {
        frozenset((one, other)): pair(one, other, 1, jaccard)
        for (one, other), jaccard in jaccards.items()
        if one != other
    }
    assert sorted(order(topics, together)) == list(range(count))


def test_topics_that_occur_together_become_neighbours() -> None:
    topics = [topic(number, 5) for number in range(1, 7)]
    together = {frozenset((one, one + 3)): pair(one, one + 3, 4, 0.8) for one in (1, 2, 3)}
    ordered = [topics[place].topic_id for place in order(topics, together)]
    for one in (1, 2, 3):
        assert abs(ordered.index(one) - ordered.index(one + 3)) == 1


MONTHS = (
    ReportMonth("2025-01", False, share(0, 5)),
    ReportMonth("2025-02", False, None),
    ReportMonth("2025-03", False, share(5, 5)),
    ReportMonth("2025-04", True, share(1, 2)),
)


def all_figures(name: str = "") -> list[str]:
    themes = (
        theme("Theme", topic(1, 40, name=name), topic(2, 3), topic(3, 1), months=MONTHS),
        theme(name or "Other", topic(4, 1), months=MONTHS),
    )
    pairs = [ReportPair(1, name, 2, "Topic 2", 3, 0.1, 1.2)]
    drawn = (
        treemap(themes),
        heatmap([each for of in themes for each in of.topics], pairs),
        trends(themes, MONTHS),
    )
    assert all(figure.png.startswith(b"\x89PNG") for figure in drawn)
    return [text for figure in drawn for text in (figure.svg, figure.inline, figure.png.hex())]


def test_the_same_facts_give_the_same_bytes() -> None:
    assert all_figures() == all_figures()


@pytest.mark.long
@pytest.mark.parametrize("name", HOSTILE, ids=lambda name: ascii(name[:12]))
def test_figures_are_xml_whatever_topics_are_called(name: str) -> None:
    for text in all_figures(name):
        if text.startswith("<"):
            root = ElementTree.fromstring(text)
            kinds = {element.tag.rpartition("}")[2] for element in root.iter()}
            assert kinds.isdisjoint({"script", "image", "foreignObject", "a"})
            assert "\u202e" not in text
            assert len(text) < 200_000


def test_a_figure_says_what_it_shows_to_those_who_cannot_see_it() -> None:
    for text in all_figures():
        if text.startswith("<"):
            root = ElementTree.fromstring(text)
            assert root.get("role") == "img"
            assert len(root.get("aria-label", "")) > 60
            assert root[0].tag.endswith("title")


def test_figures_on_one_page_share_no_ids_and_refer_to_their_own() -> None:
    inline = [text for text in all_figures() if text.startswith("<svg")]
    ids = [found for text in inline for found in re.findall(r'\bid="([^"]+)"', text)]
    assert len(ids) == len(set(ids))
    used = {found for text in inline for found in re.findall(r'(?:xlink:href="#|url\(#)([^")]+)', text)}
    assert used <= set(ids)


def test_unfinished_months_are_hollow_and_empty_ones_no_point() -> None:
    of = (theme("Theme", topic(1, 4), months=MONTHS),)
    svg = trends(of, MONTHS).svg
    first = svg[svg.index("axes_2") : svg.index("axes_3")]
    points = re.findall(r'<use xlink:href="#(m\w+)"[^>]*style="fill: (#\w+); stroke: #0b5d70', first)
    assert [colour for _, colour in points] == [
        "#0b5d70",
        "#0b5d70",
        "#fbfaf7",
    ]  # three months, the last hollow
    assert "stroke-dasharray" in first
    lines = re.findall(r'<g id="line2d_\d+">\s*<path d="([^"]+)" clip-path[^>]*stroke: #0b5d70', first)
    assert len(lines) == 1, "only March and April follow each other"


def test_a_pair_that_was_cut_off_is_no_zero() -> None:
    topics = [topic(1, 5), topic(2, 5), topic(3, 5)]
    assert ">≤7<" in heatmap(topics, [pair(1, 2, 9, 0.9)], uncounted=7).svg
    assert "≤" not in heatmap(topics, [pair(1, 2, 9, 0.9)]).svg


def test_a_label_keeps_what_can_be_read() -> None:
    assert label("RAG\n  Systems\t🚀") == "RAG Systems 🚀"
    assert label("\u202e\x00") == ""


def light(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)


def schemes() -> list[dict[str, str]]:
    """The page's colours by name: light, then dark."""
    css = (TEMPLATES / "style.html").read_text()
    bright, dark = css.split("prefers-color-scheme: dark")
    return [
        dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6})", each)) for each in (bright, dark.split("}")[0])
    ]


def test_numbers_and_names_have_contrast_in_both_schemes() -> None:
    for colours in schemes():
        for level in range(1, len(LEVELS) + 1):
            on = "on-low" if level <= 5 else "on-middle" if level == 6 else "on-high"
            assert contrast(colours[f"level-{level}"], colours[on]) >= 4.5, (level, on)
    for tile_colour in (*TILES, TILE_OF_OTHERS):
        assert contrast(tile_colour, ON_TILE) >= 7
    assert [schemes()[0][name] for name in ("on-low", "on-middle", "on-high")] == [ON_LOW, ON_MIDDLE, ON_HIGH]
    assert [schemes()[0][f"level-{number}"] for number in range(1, 11)] == list(LEVELS)
