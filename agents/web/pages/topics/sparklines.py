"""Sparklines: small bar charts of a topic's videos by month, for lists."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from agents.queries.months import By, part
from agents.web.pages.topics.months import PublicationPeriod, fitting, parts

MOST = 60
"""Maximum number of bars; longer periods use quarters or years."""
STEP, BAR, HEIGHT, BASE = 7, 6, 30, 31
"""Distance between bars, their width, maximum height and baseline, in SVG units."""


class Sparkline(NamedTuple):
    """A sparkline as SVG paths, so that a list of hundreds renders fast."""

    by: By
    """Unit of a bar."""
    bars: str
    unfinished: str
    """Path of the bar of an unfinished period; empty if there is none."""
    width: int
    most: int
    """Videos of the highest bar."""
    most_in: str
    """Period of the highest bar; empty if there are no videos."""


def sparklines(
    rows: Iterable[Mapping[str, Any]], months: Sequence[PublicationPeriod], wanted: Container[int]
) -> dict[int, Sparkline]:
    """Return the sparklines of topics, with the same bars and one scale for all topics.

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
    """Return the sparkline of talks published on the given days, with its own scale."""
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
