"""Selection of the talks that a number counts: period, source, speaker; and the codebook's revision."""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

EVER = (date(1970, 1, 1), date(2149, 6, 6))
"""First and last day that ClickHouse's Date can hold."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Talks to count; an empty field does not restrict them.

    Attributes:
        first, last: month ('YYYY-MM') or day ('YYYY-MM-DD') of publication (UTC), both inclusive.
        source, channel, show, speaker, language: exactly this one; `speaker`: one of the talk's speakers.
        codebook: the revision that decides which topics count, for which topic, and in which theme; None: the
            newest.
    """

    first: str | None = None
    last: str | None = None
    source: str = ""
    channel: str = ""
    show: str = ""
    speaker: str = ""
    language: str = ""
    codebook: int | None = None

    @property
    def days(self) -> tuple[date, date]:
        """Return the first and last day of publication.

        Example:
            >>> Selection("2024-02", "2024-02").days
            (datetime.date(2024, 2, 1), datetime.date(2024, 2, 29))
        """
        return (
            first_day(self.first) if self.first else EVER[0],
            last_day(self.last) if self.last else EVER[1],
        )

    @property
    def where(self) -> str:
        """Return the condition on `video_topics`, as SQL that binds `parameters`."""
        conditions = ["withdrawn = 0", "published_on BETWEEN {first:Date} AND {last:Date}"]
        conditions += [
            f"{name} = {{{name}:String}}"
            for name in ("source", "channel", "show", "language")
            if getattr(self, name)
        ]
        if self.speaker:
            conditions.append("has(speakers, {speaker:String})")
        return " AND ".join(conditions)

    @property
    def parameters(self) -> dict[str, Any]:
        """Return the parameters of `where`."""
        first, last = self.days
        named = {name: getattr(self, name) for name in ("source", "channel", "show", "speaker", "language")}
        return {"first": first.isoformat(), "last": last.isoformat()} | {
            name: value for name, value in named.items() if value
        }


EVERYTHING = Selection()
NAMES = tuple(field.name for field in fields(Selection))


def is_period(text: str) -> bool:
    """Return whether a text is a month or a day from 1970 to 2099.

    Example:
        >>> is_period("2025-04"), is_period("2025-04-30"), is_period("2025-04-31"), is_period("2025-4")
        (True, True, False, False)
    """
    if not re.fullmatch(r"(19[7-9][0-9]|20[0-9]{2})-[0-9]{2}(-[0-9]{2})?", text):
        return False
    try:
        first_day(text)
    except ValueError:
        return False
    return True


def first_day(text: str) -> date:
    """Return the day, or the first day of the month."""
    return date.fromisoformat(text if len(text) > len("YYYY-MM") else f"{text}-01")


def last_day(text: str) -> date:
    """Return the day, or the last day of the month."""
    if len(text) > len("YYYY-MM"):
        return date.fromisoformat(text)
    day = date.fromisoformat(f"{text}-01")
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def select(options: Mapping[str, Any]) -> Selection:
    """Return the selection of those options that are one of its fields and not None."""
    return Selection(**{name: options[name] for name in NAMES if options.get(name) is not None})
