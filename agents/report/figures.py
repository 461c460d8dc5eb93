"""Figures of the report: treemap, co-occurrence and monthly trends. The same facts give the same bytes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from agents.queries.wording import percent
from agents.report.drawing import (
    INK,
    LEVELS,
    LINE,
    NONE,
    ON_HIGH,
    ON_LOW,
    ON_MIDDLE,
    ON_TILE,
    PAPER,
    QUIET,
    SEA,
    TILE_OF_OTHERS,
    TILES,
    WIDTH,
    Drawn,
    canvas,
    finish,
    fit,
    heading,
    label,
    shorten,
    width,
)
from agents.report.facts import Facts, ReportMonth, ReportPair, ReportTheme, ReportTopic
from agents.report.treemap import Bounds, tile
from streams.store.codebook.sql_fragments import UNSORTED

TREEMAP_HEIGHT = 450.0
HEADING = 27.0
"""Height of a theme's heading (two lines), in points."""
MOST_THEMES = 12
"""Maximum number of themes drawn, the most prevalent."""
PANEL = (3, 128.0)
"""Panels per row, and a panel's height in points."""
SIZES = (13.0, 12.0, 11.0, 10.0, 9.0, 8.0, 7.0, 6.5)


def draw(facts: Facts) -> tuple[Drawn, ...]:
    """Draw all figures; return none for a period without talks."""
    if not facts.themes:
        return ()
    pairs = (heatmap(facts.paired, facts.pairs, facts.uncounted),) if len(facts.paired) > 1 else ()
    return (treemap(facts.themes), *pairs, trends(facts.themes, facts.months))


def treemap(themes: Sequence[ReportTheme]) -> Drawn:
    """Draw each topic as a box whose area is its number of talks, in the box of its theme.

    Topics in no theme are drawn only if there are no themes: they would cover most of it.
    """
    ranked = [theme for theme in most_prevalent(themes) if theme.topics]
    sorted_in = [theme for theme in ranked if theme.name != UNSORTED]
    shown = sorted_in or ranked
    ground = Bounds(0, 0, WIDTH, TREEMAP_HEIGHT)
    sizes = [[topic.counted["videos"] for topic in theme.topics] for theme in shown]
    with canvas(TREEMAP_HEIGHT) as (figure, axes):
        colours = iter(TILES)
        for theme, tiled in zip(shown, tile(sizes, ground, HEADING), strict=True):
            colour = next(colours, TILE_OF_OTHERS) if sorted_in else TILE_OF_OTHERS
            whole = tiled.whole
            videos = str(theme.counted["videos"])
            numbers = (f"{videos} · {percent(theme.counted['share'])}", videos)
            size, said = heading(theme.name, numbers, whole.width - 4)
            y = whole.y + whole.height - HEADING + 4
            axes.text(whole.x + 2, y, said, color=INK, size=size, weight="bold", va="bottom", linespacing=1.1)
            for topic, box in zip(theme.topics, tiled.parts, strict=True):
                _rectangle(axes, box, colour, edge=PAPER, line=1.6)
                _in_box(
                    axes,
                    box,
                    label(topic.name, 80),
                    f"{topic.counted['videos']} · {percent(topic.counted['share'])}",
                )
        largest = max(
            (topic for theme in shown for topic in theme.topics), key=lambda topic: topic.counted["videos"]
        )
        topics = f"{sum(len(theme.topics) for theme in shown)} topics"
        text = (
            (f"{len(sorted_in)} themes with {topics}" if sorted_in else f"{topics} in no theme")
            + "; a box’s area stands for the topic’s number of talks. "
            + _largest(sorted_in)
            + f"The largest topic is {label(largest.name, 80)} with {largest.counted['videos']} talks. "
            "The table of themes and topics has every number."
        )
        return finish(figure, "treemap", "Treemap of themes and topics", text)


def most_prevalent(themes: Sequence[ReportTheme]) -> list[ReportTheme]:
    """Return the most prevalent themes, and then the topics that are in no theme, which are not ranked."""
    ranked = [theme for theme in themes if theme.name != UNSORTED]
    return ranked[:MOST_THEMES] + [theme for theme in themes if theme.name == UNSORTED]


def _largest(themes: Sequence[ReportTheme]) -> str:
    if not themes:
        return ""
    return f"The largest theme is {label(themes[0].name, 80)} with {themes[0].counted['videos']} talks. "


def _in_box(axes: Any, box: Bounds, name: str, number: str) -> None:
    """Write a topic's name and number as large as they fit, horizontal or rotated; else nothing."""
    number_size = 8.5
    for turned, numbered in ((False, True), (True, True), (False, False), (True, False)):
        wide, high = (box.height, box.width) if turned else (box.width, box.height)
        below = number_size * 1.3 if numbered else 0.0
        fitted = fit(name, wide - 8, high - 6 - below, SIZES)
        if fitted is None or (numbered and width(number, number_size) > wide - 8):
            continue
        size, lines = fitted
        look = {"color": ON_TILE, "va": "top", "ha": "left", "rotation": -90 if turned else 0}
        left, top = (
            (box.x + box.width - 4, box.y + box.height - 5) if turned else (box.x + 5, box.y + box.height - 4)
        )
        down = len(lines) * size * 1.2 + 2
        look |= {"ha": "right", "multialignment": "left"} if turned else {}
        axes.text(left, top, "\n".join(lines), size=size, linespacing=1.05, **look)
        if numbered:
            at = (left - down, top) if turned else (left, top - down)
            axes.text(*at, number, size=min(size, number_size), **look)
        return


def heatmap(topics: Sequence[ReportTopic], pairs: Sequence[ReportPair], uncounted: int = 0) -> Drawn:
    """Draw the number of talks in which each pair of topics occurs, with similar topics as neighbours."""
    together = {frozenset((pair.topic_id, pair.other_id)): pair for pair in pairs}
    ordered = [topics[index] for index in order(topics, together)]
    size, top, name_size = len(ordered), 8.0, 8.5
    names = [f"{label(topic.name, 42)} ({topic.counted['videos']})" for topic in ordered]
    longest = max(len(name) for name in names) * name_size * 0.6
    cell = min(30.0, (WIDTH - 12 - min(longest, 220)) / size)
    shown = [
        [together.get(frozenset((one.topic_id, other.topic_id))) for other in ordered[:row]]
        for row, one in enumerate(ordered)
    ]
    most = max((pair.videos for row in shown for pair in row if pair), default=0)
    height = top + cell * size + 44
    with canvas(height) as (figure, axes):
        for row, (name, cells) in enumerate(zip(names, shown, strict=True)):
            y = height - top - (row + 1) * cell
            for column, pair in enumerate(cells):
                box = Bounds(4 + column * cell, y, cell, cell)
                level = math.ceil(len(LEVELS) * pair.videos / most) if pair else 0
                _rectangle(axes, box, LEVELS[level - 1] if level else NONE, edge=PAPER, line=1.0)
                said = str(pair.videos) if pair else f"≤{uncounted}" if uncounted else ""
                _centred(axes, box, said, _on(level), min(8.5, cell * 0.36))
            box = Bounds(4 + row * cell, y, cell, cell)
            _rectangle(axes, box, NONE, edge=PAPER, line=1.0)
            axes.plot((box.x + 3, box.x + cell - 3), (y + cell - 3, y + 3), color=QUIET, linewidth=0.8)
            room = WIDTH - box.x - cell - 6
            axes.text(
                box.x + cell + 5,
                y + cell / 2,
                shorten(name, room, name_size),
                color=INK,
                size=name_size,
                va="center",
            )
        _legend(axes, most)
        text = (
            f"A triangle of {size} topics; each cell is the number of talks with at least one paragraph of "
            "both: the more talks, the stronger the colour. Neighbouring topics often occur together. "
            + _strongest(pair for row in shown for pair in row if pair)
            + " The table of co-occurrence has every number."
        )
        return finish(figure, "cooccurrence", "Topics in the same talks", text)


def order(topics: Sequence[ReportTopic], together: Mapping[frozenset[int], ReportPair]) -> list[int]:
    """Return the topics' indices in an order with similar ones as neighbours: average linkage of 1 - Jaccard.

    Optimal leaf ordering as in Bar-Joseph et al. (2001); scipy's `optimal_ordering`.
    """
    from scipy.cluster.hierarchy import leaves_list, linkage

    if len(topics) < 3:
        return list(range(len(topics)))
    apart = [
        1.0 - (pair.jaccard if (pair := together.get(frozenset((one.topic_id, other.topic_id)))) else 0.0)
        for at, one in enumerate(topics)
        for other in topics[at + 1 :]
    ]
    return [int(leaf) for leaf in leaves_list(linkage(apart, method="average", optimal_ordering=True))]


def _strongest(pairs: Any) -> str:
    pair = max(pairs, key=lambda pair: pair.videos, default=None)
    if pair is None:
        return "No two of them occur in the same talk."
    return (
        f"The strongest pair is {label(pair.name, 80)} and {label(pair.other, 80)} with {pair.videos} talks."
    )


def _legend(axes: Any, most: int) -> None:
    """Draw the colour scale with its ends labelled."""
    if not most:
        return
    for level, colour in enumerate(LEVELS):
        _rectangle(axes, Bounds(4 + level * 16, 16, 16, 9), colour, edge=PAPER, line=0.6)
    axes.text(4, 12, "1 talk" if most > 1 else "", size=8, color=QUIET, va="top")
    axes.text(
        4 + 16 * len(LEVELS), 12, f"{most} talk{'s' * (most > 1)}", size=8, color=QUIET, va="top", ha="right"
    )


def trends(themes: Sequence[ReportTheme], months: Sequence[ReportMonth]) -> Drawn:
    """Draw a panel per theme with its monthly shares and intervals, and one with the number of talks."""
    shown = most_prevalent(themes)
    columns, high = PANEL
    rows = math.ceil((len(shown) + 1) / columns)
    height = rows * high + 6
    shares = [month.counted for theme in shown for month in theme.months if month.counted]
    top = min(1.0, math.ceil(10 * max(share["high"] for share in shares)) / 10)
    with canvas(height) as (figure, _):
        for number in range(len(shown) + 1):
            row, column = divmod(number, columns)
            wide = WIDTH / columns
            corner = (column * wide + 34, height - (row + 1) * high + 24)
            axes = figure.add_axes(
                (corner[0] / WIDTH, corner[1] / height, (wide - 44) / WIDTH, (high - 48) / height)
            )
            if number < len(shown):
                _panel(axes, shown[number].months, top)
                title = label(shown[number].name)
            else:
                _counts(axes, months)
                title = "Videos that count"
            size = next((size for size in (8.5, 8.0, 7.5) if width(title, size * 1.12) <= wide - 36), 7.5)
            title = shorten(title, wide - 36, size * 1.12)
            axes.set_title(title, loc="left", size=size, weight="bold", color=INK, pad=5)
            _ticks(axes, months)
        unfinished = [month.month for month in months if month.unfinished]
        unsorted = " and one for topics in no theme" if shown[-1].name == UNSORTED else ""
        text = (
            f"{len(shown)} small charts, one per theme{unsorted}, of its share of the talks of each month "
            f"from {months[0].month} to {months[-1].month}, with 95 % intervals as bars, and one of how many "
            "videos count in each month. "
            + (f"{unfinished[-1]} is not over; it is hollow and dashed. " if unfinished else "")
            + "The table of monthly shares has every number."
        )
        return finish(figure, "trends", "Monthly trends of themes", text)


def _panel(axes: Any, months: Sequence[ReportMonth], top: float) -> None:
    """Draw shares as points, joined by lines between consecutive months, and intervals as bars."""
    from matplotlib.ticker import PercentFormatter

    spoken = [(at, month, month.counted) for at, month in enumerate(months) if month.counted]
    wide = min(0.8, 0.2 + len(months) / 12)
    for at, month, share in spoken:
        look = (
            {"facecolor": "none", "edgecolor": SEA, "linestyle": (0, (2, 1.5)), "linewidth": 0.8}
            if month.unfinished
            else {"facecolor": LEVELS[1], "edgecolor": "none"}
        )
        axes.bar(at, share["high"] - share["low"], bottom=share["low"], width=wide, **look)
    for (at, _, share), (following, month, after) in pairwise(spoken):
        if following == at + 1:
            style = (0, (2, 1.5)) if month.unfinished else "solid"
            axes.plot(
                (at, following), (share["share"], after["share"]), color=SEA, linewidth=1.2, linestyle=style
            )
    dot = 3.2 if len(months) <= 36 else 1.8
    for at, month, share in spoken:
        face = PAPER if month.unfinished else SEA
        axes.plot(
            at,
            share["share"],
            "o",
            markersize=dot,
            markerfacecolor=face,
            markeredgecolor=SEA,
            markeredgewidth=0.9,
            clip_on=False,
            zorder=3,
        )
    axes.set_ylim(0, top)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=" %"))
    axes.set_yticks([0, top / 2, top])


def _counts(axes: Any, months: Sequence[ReportMonth]) -> None:
    """Draw the number of talks that count in each month."""
    from matplotlib.ticker import MaxNLocator

    for at, month in enumerate(months):
        if month.counted:
            hollow = {"facecolor": "none", "edgecolor": QUIET, "linestyle": (0, (2, 1.5)), "linewidth": 0.8}
            look = hollow if month.unfinished else {"facecolor": QUIET}
            axes.bar(at, month.counted["of_videos"], width=0.8, **look)
    axes.yaxis.set_major_locator(MaxNLocator(3, integer=True))
    axes.set_ylim(bottom=0)


def _ticks(axes: Any, months: Sequence[ReportMonth]) -> None:
    """Set the axis ticks: years, or a few months if the period has at most 18."""
    januaries = [at for at, month in enumerate(months) if month.month.endswith("-01")]
    if len(months) > 18:
        step = math.ceil(len(januaries) / 5) or 1
        places, names = januaries[::step], [months[at].month[:4] for at in januaries[::step]]
    else:
        places = list(range(0, len(months), math.ceil(len(months) / 3)))
        names = [months[at].month for at in places]
    axes.set_xticks(places, names)
    quarters = [at for at, month in enumerate(months) if month.month[5:] in ("01", "04", "07", "10")]
    axes.set_xticks([] if len(months) > 120 else quarters, minor=True)
    axes.tick_params(which="minor", color=LINE, length=2)
    axes.set_xlim(-0.8, len(months) - 0.2)
    axes.set_facecolor("none")
    axes.tick_params(labelsize=7.5, labelcolor=QUIET, color=LINE, length=3)
    axes.grid(axis="y", color=LINE, linewidth=0.6)
    axes.set_axisbelow(True)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(QUIET)
        spine.set_linewidth(0.8)


def _rectangle(axes: Any, box: Bounds, colour: str, *, edge: str, line: float) -> None:
    from matplotlib.patches import Rectangle

    corner = (box.x, box.y)
    axes.add_patch(Rectangle(corner, box.width, box.height, facecolor=colour, edgecolor=edge, linewidth=line))


def _centred(axes: Any, box: Bounds, said: str, colour: str, size: float) -> None:
    axes.text(
        box.x + box.width / 2,
        box.y + box.height / 2,
        said,
        color=colour,
        size=size,
        ha="center",
        va="center_baseline",
    )


def _on(level: int) -> str:
    return QUIET if not level else ON_LOW if level <= 5 else ON_MIDDLE if level == 6 else ON_HIGH
