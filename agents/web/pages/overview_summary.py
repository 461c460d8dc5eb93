"""The overview's summary: what a period is about, and what changed against the period before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from agents.queries.rows import Theme, Topic, Trend

NEW = ("emergence", "new topic")
"""Rules of alerts about new subjects."""


class Summary(NamedTuple):
    """The facts of the summary; `trend` is that of the most discussed theme (or topic)."""

    first: str
    last: str
    talks: int
    more: int
    """Talks more than in the period before; negative: fewer."""
    leading: str
    """Name of the most discussed theme; of a topic where no topic is in a theme."""
    topic_id: int | None
    trend: Trend
    rising: int
    declining: int

    @property
    def share(self) -> float:
        """Share of the period's talks that discuss it."""
        return self.trend["videos"] / self.trend["of_videos"]


def summary(themes: Sequence[Theme], topics: Sequence[Topic]) -> Summary | None:
    """Return the summary of a period; None if it cannot be compared with the one before."""
    in_themes = {row["theme"]: row["trend"] for row in themes if row["trend"] is not None}
    alone = {row["topic_id"]: row["trend"] for row in topics if row["trend"] is not None}
    topic_id = None
    if in_themes:
        leading = max(in_themes, key=lambda name: in_themes[name]["videos"])
        trend = in_themes[leading]
    elif alone:
        topic_id = max(alone, key=lambda each: alone[each]["videos"])
        trend = alone[topic_id]
        leading = next(row["name"] for row in topics if row["topic_id"] == topic_id)
    else:
        return None
    return Summary(
        first=trend["first"],
        last=trend["last"],
        talks=trend["of_videos"],
        more=trend["of_videos"] - trend["before_of_videos"],
        leading=leading,
        topic_id=topic_id,
        trend=trend,
        rising=sum(row["status"] in ("rising", "new") for row in topics),
        declining=sum(row["status"] == "declining" for row in topics),
    )


def age(raised_at: datetime | None, today: date) -> str:
    """Return how long ago an alert was raised.

    Example:
        >>> [age(datetime(2025, 12, day), date(2025, 12, 17)) for day in (17, 16, 3)]
        ['today', 'yesterday', '14 days ago']
        >>> age(datetime(2025, 7, 13), date(2025, 12, 17)), age(datetime(2023, 1, 1), date(2025, 12, 17))
        ('5 months ago', '2 years ago')
    """
    if raised_at is None:
        return ""
    days = max(0, (today - raised_at.date()).days)
    if days < 2:
        return ("today", "yesterday")[days]
    for length, unit in ((365, "year"), (30, "month")):
        if days >= 2 * length:
            return f"{days // length} {unit}s ago"
    return f"{days} days ago"
