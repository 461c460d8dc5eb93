"""Periods that a reader can choose with one click, up to today."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import NamedTuple

from agents.queries import months

DAYS = 30
LENGTHS = (("Quarter", 3), ("Year", 12))
"""Lengths in months, the current one included."""


class Preset(NamedTuple):
    """A link to a period."""

    label: str
    described: str
    """What it means, for a tooltip and for screen readers."""
    selected: dict[str, str]
    """The selection with this period instead of its own."""
    current: bool


def presets(kept: Mapping[str, str], today: date) -> list[Preset]:
    """Return the links from a selection to other periods.

    Example:
        >>> found = presets({"first": "2025-10", "show": "Night Deploys"}, date(2025, 12, 17))
        >>> [(each.label, each.selected.get("first"), each.current) for each in found]
        [('30 days', '2025-11-18', False), ('Quarter', '2025-10', True), ('Year', '2025-01', False), \
('All', None, False)]
        >>> found[3].selected
        {'show': 'Night Deploys'}
    """
    rest = {name: value for name, value in kept.items() if name not in ("first", "last")}
    since = {f"{DAYS} days": ((today - timedelta(days=DAYS - 1)).isoformat(), f"the last {DAYS} days")}
    for label, length in LENGTHS:
        first = months.named(months.number(f"{today:%Y-%m}") - length + 1)
        since[label] = (first, f"the last {length} months")
    now = (kept.get("first"), kept.get("last"))
    return [
        Preset(label, described, rest | {"first": first}, now == (first, None))
        for label, (first, described) in since.items()
    ] + [Preset("All", "all talks, whenever they were published", rest, now == (None, None))]
