"""Differences between two selections of talks, by theme or topic: two periods, shows, sources or speakers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

from agents.queries.comparison import periods_of
from agents.queries.intervals import interval
from agents.queries.rows import Difference
from models.stats.trend import trend
from streams.errors import DataError
from streams.store.codebook.effective import EffectiveCodebook, book
from streams.store.codebook.sql_fragments import UNSORTED
from streams.store.queries import prevalence
from streams.store.queries.aggregation import Tally
from streams.store.queries.selection import EVERYTHING, Selection, is_period
from streams.store.warehouse import Warehouse

Units = Literal["themes", "topics"]
Named = Callable[[Any], tuple[int | None, str, str]]
"""Returns the topic id (None of a theme), name and theme of a unit."""


def differences(  # noqa: PLR0917 - the parameters of a query, each by name
    warehouse: Warehouse,
    selection: Selection = EVERYTHING,
    of: Units = "themes",
    other_first: str = "",
    other_last: str = "",
    other_source: str = "",
    other_channel: str = "",
    other_show: str = "",
    other_speaker: str = "",
    other_language: str = "",
    applied: EffectiveCodebook | None = None,
) -> list[Difference]:
    """Return how the shares of themes or topics differ between a selection and another one.

    The largest differences whose 95 % interval (Newcombe) leaves out 0 come first, then the others; last, all
    topics that are `Not yet in a theme`. Without any `other_` field the other selection is the preceding
    period of equal length, as `themes` compares.

    Raises:
        DataError: an end of the other period is not a month or day.
    """
    applied = applied or book(warehouse, selection.codebook)
    other = Selection(
        other_first or None,
        other_last or None,
        other_source,
        other_channel,
        other_show,
        other_speaker,
        other_language,
    )
    return between(warehouse, compared_selections(warehouse, selection, other, applied), of, applied)


def between(
    warehouse: Warehouse, pair: tuple[Selection, ...], of: Units, applied: EffectiveCodebook
) -> list[Difference]:
    """Return the rows of `differences` for its two selections; none if there are none to compare."""
    if not pair:
        return []
    count, names = _counting(of, applied)
    here, there = (count(warehouse, [each], applied)[0] for each in pair)
    rows = [_difference(unit, names, here, there) for unit in {*here.units, *there.units}]
    return sorted(
        rows,
        key=lambda row: (row["name"] == UNSORTED, not row["differs"], -abs(row["change"]), row["name"]),
    )


def compared_selections(
    warehouse: Warehouse, selection: Selection, other: Selection, applied: EffectiveCodebook
) -> tuple[Selection, ...]:
    """Return the two selections that are compared; none without a talk.

    Args:
        other: the other selection, of the codebook of `selection`; if it is empty, the preceding period.

    Raises:
        DataError: an end of the other period is not a month or day.
    """
    for text in (other.first, other.last):
        if text and not is_period(text):
            raise DataError(
                f"{text[:40]!r} is not a month or day from 1970-01 to 2099-12",
                "write it as YYYY-MM, such as 2025-04, or as YYYY-MM-DD",
            )
    if other == EVERYTHING:
        return periods_of(warehouse, selection, applied)
    return selection, replace(other, codebook=selection.codebook)


def _counting(of: Units, applied: EffectiveCodebook) -> tuple[Callable[..., list[Tally]], Named]:
    if of == "themes":
        return prevalence.theme_tallies, lambda theme: (None, theme, theme)
    known = applied.entries
    return prevalence.topic_tallies, lambda each: (each, known[each].name, known[each].theme)


def _difference(unit: Any, names: Named, here: Tally, there: Tally) -> Difference:
    topic_id, name, theme = names(unit)
    videos, other_videos = (each.units[unit]["videos"] if unit in each.units else 0 for each in (here, there))
    found = trend(videos, here.of_videos, other_videos, there.of_videos)
    other = interval(other_videos, there.of_videos)
    return {
        "topic_id": topic_id,
        "name": name,
        "theme": theme,
        "videos": videos,
        "of_videos": here.of_videos,
        "share": found.share,
        **interval(videos, here.of_videos),
        "other_videos": other_videos,
        "other_of_videos": there.of_videos,
        "other_share": found.share_before,
        "other_low": other["low"],
        "other_high": other["high"],
        "change": found.change,
        "change_low": found.change_interval.low,
        "change_high": found.change_interval.high,
        "differs": found.change_interval.low > 0 or found.change_interval.high < 0,
    }
