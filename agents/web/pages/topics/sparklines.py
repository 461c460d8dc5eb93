"""A topic's videos by month, so small that it stands in a list."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from agents.web.pages.topics.months import By, PublicationPeriod, fitting, part, parts

MOST = 60
"""At most so many bars; of more months the bars are quarters or years."""
STEP, BAR, HEIGHT, BASE = 7, 6, 30, 31
"""From one bar to the next, how wide and how high one is, and where it stands, in the picture's own units."""


class Sparkline(NamedTuple):
    """Bars on a scale; paths as SVG writes them, so that a list of hundreds is drawn at once."""

    by: By
    """What a bar is."""
    bars: str
    unfinished: str
    """Of the bar that still grows; empty where there is none."""
    width: int
    most: int
    """Videos of the highest bar."""
    most_in: str
    """When that was; empty where there is none at all."""


def sparklines(
    rows: Iterable[Mapping[str, Any]], months: Sequence[PublicationPeriod], wanted: Container[int]
) -> dict[int, Sparkline]:
    """Return the sparklines of topics; they have the same bars, and one scale, that of all topics.

    Args:
        rows: {topic_id, month: 'YYYY-MM', videos} of all topics.
        months: as `months.columns`.
        wanted: whose.
    """
    by = fitting(months, MOST)
    column = {month.key: part(month.key, by) for month in months}
    videos: dict[int, dict[str, int]] = {}
    for row in rows:
        counts = videos.setdefault(row["topic_id"], defaultdict(int))
        counts[column[row["month"]]] += row["videos"]
    most = max((max(counts.values()) for counts in videos.values()), default=1)
    columns = parts(months, by)
    return {
        topic_id: _drawn(counts, columns, most, by)
        for topic_id, counts in videos.items()
        if topic_id in wanted
    }


def of_talks(days: Iterable[Any], months: Sequence[PublicationPeriod]) -> Sparkline:
    """Return the sparkline of talks published on some days, on a scale of its own."""
    by = fitting(months, MOST)
    counts = Counter(part(f"{day:%Y-%m}", by) for day in days)
    return _drawn(counts, parts(months, by), max(counts.values(), default=1), by)


def _drawn(counts: Mapping[str, int], columns: Sequence[PublicationPeriod], most: int, by: By) -> Sparkline:
    bars, unfinished, highest = [], "", PublicationPeriod("", "", 0, False)
    for at, column in enumerate(columns):
        if count := counts.get(column.key, 0):
            bar = f"M{at * STEP} {BASE}v-{count / most * HEIGHT:.4g}h{BAR}V{BASE}z"
            if column.unfinished:
                unfinished = bar
            else:
                bars.append(bar)
            if count > counts.get(highest.key, 0):
                highest = column
    return Sparkline(
        by, "".join(bars), unfinished, len(columns) * STEP, counts.get(highest.key, 0), highest.key
    )
