"""Effect of a changed mix of talks on shares: as they are, and like for like, before and since."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agents.queries.months import every, named, number
from agents.queries.registry import Ask
from agents.queries.rows import MixChange, ThemeMonth
from models.stats.mix import WINDOW


@dataclass(frozen=True, slots=True)
class MixEffect:
    """Mean of a theme's monthly shares of videos before a change, and since; None: no month can be compared.

    Attributes:
        plain, plain_before: as the study defines shares.
        alike, alike_before: standardised by what changed.
    """

    theme: str
    plain_before: float | None
    plain: float | None
    alike_before: float | None
    alike: float | None


@dataclass(frozen=True, slots=True)
class ReportMixChange:
    """A change of the mix in words, and its effect on each theme in the months around it."""

    kind: str
    said: str
    effects: tuple[MixEffect, ...]


def mix_changes(
    ask: Ask, given: Mapping[str, Any], themes: Sequence[str], plain: Sequence[ThemeMonth]
) -> tuple[ReportMixChange, ...]:
    """Return the changes of the mix of sources or lengths in the selection `given`.

    Args:
        ask: the study.
        given: the selection, as options of a view.
        themes: most prevalent first.
        plain: the view `prevalence` of the selection.
    """
    changes: list[MixChange] = ask("mix", **given)["changes"]
    alike = {
        kind: ask("prevalence", **given, standard=kind) for kind in {change["kind"] for change in changes}
    }
    return tuple(
        ReportMixChange(
            change["kind"],
            change["said"],
            tuple(_effect(theme, change["month"], plain, alike[change["kind"]]) for theme in themes),
        )
        for change in changes
    )


def _effect(theme: str, month: str, plain: Sequence[ThemeMonth], alike: Sequence[ThemeMonth]) -> MixEffect:
    at = number(month)
    before, since = every(named(at - WINDOW), named(at - 1)), every(month, named(at + WINDOW - 1))
    return MixEffect(
        theme,
        plain_before=_mean(plain, theme, before),
        plain=_mean(plain, theme, since),
        alike_before=_mean(alike, theme, before),
        alike=_mean(alike, theme, since),
    )


def _mean(rows: Sequence[ThemeMonth], theme: str, months: Collection[str]) -> float | None:
    """Return the mean over the months with talks; in one without a row, a theme has a share of 0."""
    among = {row["month"] for row in rows if row["month"] in months}
    shares = [row["share"] for row in rows if row["theme"] == theme and row["month"] in among]
    return sum(shares) / len(among) if among else None
