"""Monthly counts, aggregated by month, quarter or year."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from agents.queries import intervals
from agents.queries.months import By, part
from agents.web.pages.topics.months import PublicationPeriod, columns, fitting, parts
from streams.store.rows.prevalence import CountedThemeMonth, CountedTopicMonth

POINTS = 60
"""Number of points on a line that a reader can distinguish."""
_ADDED = ("videos", "paragraphs", "minutes")


class Gathered(NamedTuple):
    """Counts by columns."""

    by: By
    """Unit of a column."""
    columns: list[PublicationPeriod]
    rows: list[dict[str, Any]]
    """{month, <key>, videos, of_videos, share, low, high, paragraphs, minutes}"""


def gathered(
    rows: Sequence[CountedThemeMonth | CountedTopicMonth],
    key: str,
    today: str,
    by: By | None = None,
    most: int = POINTS,
) -> Gathered:
    """Aggregate monthly counts by the requested unit.

    A video is published in one month, so the videos of a quarter or year are the sum of its months, without
    double counting. Shares and intervals are computed from the sums.

    Args:
        rows: of videos > 0; every month in which a video has any topic has one.
        key: the column that says what a row is about: theme or topic_id.
        today: the current month; the column with it is unfinished.
        by: what a column is; None: what gives at most `most` of them, or years.
        most: where nobody asks for anything else.
    """
    months = columns(rows, today)
    by = by or fitting(months, most)
    counted: list[dict[str, Any]] = [{**row} for row in rows]
    if by == "month":
        return Gathered(by, months, [row | _interval(row) for row in counted])
    gathering = parts(months, by)
    of_videos = {each.key: each.of_videos for each in gathering}
    sums: dict[tuple[Any, str], dict[str, float]] = defaultdict(lambda: dict.fromkeys(_ADDED, 0))
    for row in counted:
        found = sums[row[key], part(row["month"], by)]
        for name in _ADDED:
            found[name] += row[name]
    made = [
        {"month": name, key: unit, "of_videos": of_videos[name], "share": found["videos"] / of_videos[name]}
        | found
        for (unit, name), found in sums.items()
    ]
    return Gathered(by, gathering, [row | _interval(row) for row in made])


def _interval(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**intervals.interval(row["videos"], row["of_videos"])}
