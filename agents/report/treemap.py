"""Treemap layout: columns of themes, with the topics of each theme inside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Bounds(NamedTuple):
    """A rectangle; x and y are its lower left corner."""

    x: float
    y: float
    width: float
    height: float


class Tiled(NamedTuple):
    """Layout of a group: its whole rectangle, with the heading on top, and its parts."""

    whole: Bounds
    parts: tuple[Bounds, ...]


def tile(groups: Sequence[Sequence[float]], ground: Bounds, heading: float) -> list[Tiled]:
    """Fill `ground` with groups whose parts have areas proportional to their sizes, on one scale.

    Headings do not shrink the parts: each column is as wide as its groups and their headings need. The number
    of columns is the one that gives the squarest groups.

    Args:
        groups: sizes of each group's parts, positive, largest first.
        ground: the rectangle to fill.
        heading: height of a group's heading.

    Returns:
        One layout per group, in the order of `groups`.
    """
    sums = [sum(sizes) for sizes in groups]
    layouts = (_columns(sums, ground, heading, number) for number in range(1, len(groups) + 1))
    wholes = min((layout for layout in layouts if layout), key=_stretch, default=[])
    return [
        Tiled(whole, tuple(squarify(sizes, whole._replace(height=whole.height - heading))))
        for whole, sizes in zip(wholes, groups, strict=True)
    ]


def squarify(sizes: Sequence[float], ground: Bounds) -> list[Bounds]:
    """Fill `ground` with boxes as square as possible, in the order of `sizes`, from the upper left.

    Bruls, Huizing, van Wijk: Squarified Treemaps (2000).
    """
    boxes: list[Bounds] = []
    rest, scale = ground, ground.width * ground.height / sum(sizes) if sizes else 0.0
    left = [size * scale for size in sizes]
    while left:
        side = min(rest.width, rest.height)
        count = 1
        while count < len(left) and _worst(left[: count + 1], side) <= _worst(left[:count], side):
            count += 1
        row, left = left[:count], left[count:]
        depth = sum(row) / side
        at = 0.0
        for area in row:
            along = area / depth
            if rest.width >= rest.height:
                boxes.append(Bounds(rest.x, rest.y + rest.height - at - along, depth, along))
            else:
                boxes.append(Bounds(rest.x + at, rest.y + rest.height - depth, along, depth))
            at += along
        if rest.width >= rest.height:
            rest = rest._replace(x=rest.x + depth, width=rest.width - depth)
        else:
            rest = rest._replace(height=rest.height - depth)
    return boxes


def _worst(areas: Sequence[float], side: float) -> float:
    total = sum(areas)
    return max(max(side**2 * area / total**2, total**2 / (side**2 * area)) for area in areas)


def _columns(sums: Sequence[float], ground: Bounds, heading: float, number: int) -> list[Bounds]:
    """Lay groups out in `number` columns, in order; return nothing if headings alone would fill a column."""
    columns: list[list[float]] = [[]]
    for size in sums:
        full = sum(columns[-1]) + size / 2 > sum(sums) / number
        if columns[-1] and full and len(columns) < number:
            columns.append([])
        columns[-1].append(size)
    rooms = [ground.height - heading * len(column) for column in columns]
    if min(rooms) <= 0:
        return []
    scale = ground.width / sum(sum(column) / room for column, room in zip(columns, rooms, strict=True))
    boxes, x = [], ground.x
    for column, room in zip(columns, rooms, strict=True):
        width, y = scale * sum(column) / room, ground.y + ground.height
        for size in column:
            height = heading + scale * size / width
            y -= height
            boxes.append(Bounds(x, y, width, height))
        x += width
    return boxes


def _stretch(boxes: Sequence[Bounds]) -> float:
    return sum(max(box.width / box.height, box.height / box.width) ** 2 for box in boxes)
