"""Shares of talks, paragraphs or minutes, standardised by source or by length where that is asked for.

`streams.store.queries.strata` sums up talks, `models.stats.standardisation` computes shares and intervals.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from agents.queries.months import By, part
from agents.queries.rows import Amount, Interval
from models.stats.standardisation import (
    StandardisedShares,
    Strata,
    share_of_size,
    share_of_talks,
    throughout,
)
from streams.store.codebook.effective import EffectiveCodebook
from streams.store.queries import strata as sums
from streams.store.queries.aggregation import by_theme, by_topic, month_named
from streams.store.queries.selection import Selection
from streams.store.queries.strata import Basis, Standard, StratumSums, UnitSums
from streams.store.warehouse import Warehouse

Floats = NDArray[np.float64]
R = TypeVar("R", bound=Mapping[str, Any])


class StandardisedShare(Amount, Interval):
    """A share with its interval, and what it is a share of."""

    share: float


class SharesByPeriod(NamedTuple):
    """Shares of each unit, and of a unit that no talk has, by unit and period.

    Periods without a talk that can be compared have none.
    """

    units: Mapping[Any, Mapping[str, StandardisedShare]]
    none: Mapping[str, StandardisedShare]

    def of(self, unit: Any, period: str) -> StandardisedShare:
        """Return the share of a unit in a period of `none`; 0, with its interval, without a talk."""
        return self.units.get(unit, {}).get(period) or self.none[period]


def theme_shares(  # noqa: PLR0917 - the parameters of a query
    warehouse: Warehouse,
    selection: Selection,
    applied: EffectiveCodebook,
    basis: Basis,
    standard: Standard,
    by: By = "month",
) -> SharesByPeriod:
    """Return the shares of themes, by name, in each month, quarter or year."""
    units, names = by_theme(applied)
    found = _shares(warehouse, selection, applied, units, basis, standard, lambda month: part(month, by))
    return found._replace(units={names[unit]: shares for unit, shares in found.units.items()})


def topic_shares(  # noqa: PLR0917 - the parameters of a query
    warehouse: Warehouse,
    selection: Selection,
    applied: EffectiveCodebook,
    basis: Basis,
    standard: Standard,
    by: By = "month",
) -> SharesByPeriod:
    """Return the shares of topics, by id, in each month, quarter or year."""
    units = by_topic(applied)
    return _shares(warehouse, selection, applied, units, basis, standard, lambda month: part(month, by))


def restated(rows: Iterable[R], key: str, shares: SharesByPeriod) -> list[R]:
    """Return monthly rows with the share, interval and amounts of another basis or standard.

    Months without a talk that can be compared are left out.
    """
    return [
        {**row, **shares.of(row[key], row["month"])}  # type: ignore[misc]
        for row in rows
        if row["month"] in shares.none
    ]


def _shares(  # noqa: PLR0917
    warehouse: Warehouse,
    selection: Selection,
    applied: EffectiveCodebook,
    units: Mapping[int, int],
    basis: Basis,
    standard: Standard,
    period: Callable[[str], str],
) -> SharesByPeriod:
    whole = sums.stratum_sums(warehouse, selection, applied, basis, standard)
    cells = _Cells(whole, period)
    compared = throughout(cells.monthly(whole))
    strata = Strata(cells.grid(whole.size), cells.grid(whole.size_squared), compared)
    of = strata.size.sum(axis=1)

    def shares(*of_unit: Floats) -> dict[str, StandardisedShare]:
        found = share_of_talks(strata, of_unit[0]) if basis == "talks" else share_of_size(strata, *of_unit)
        rows = zip(cells.periods, _rows(found, of_unit[0].sum(axis=1), of), strict=True)
        return {name: row for name, row in rows if row["covered"]}

    if not cells.periods:
        return SharesByPeriod({}, {})
    by_unit = sums.unit_sums(warehouse, selection, applied, units, basis, standard)
    made = {unit: shares(*grids) for unit, grids in _grids(by_unit, cells)}
    nothing = np.zeros_like(strata.size)
    return SharesByPeriod(made, shares(nothing, nothing, nothing))


class _Cells:
    """Periods and strata as rows and columns of arrays, for sums by month and stratum."""

    def __init__(self, whole: StratumSums, period: Callable[[str], str]) -> None:
        self._period_of = {month: period(month_named(month)) for month in set(whole.months)}
        self.periods = sorted(set(self._period_of.values()))
        strata = sorted(set(whole.strata))
        places = {name: place for place, name in enumerate(self.periods)}
        self._row = {month: places[name] for month, name in self._period_of.items()}
        self._column = {stratum: place for place, stratum in enumerate(strata)}
        self.shape = len(self.periods), len(strata)
        self._all = self.places(whole.months, whole.strata)

    def places(self, months: Sequence[int], strata: Sequence[str]) -> NDArray[np.int64]:
        """Return the places of months and strata in a flat array."""
        rows = np.fromiter(map(self._row.__getitem__, months), np.int64, len(months))
        columns = np.fromiter(map(self._column.__getitem__, strata), np.int64, len(strata))
        return rows * self.shape[1] + columns

    def monthly(self, whole: StratumSums) -> Floats:
        """Return the talks by month, from the first to the last, and stratum: float64 [months, strata]."""
        if not whole.months:
            return np.zeros((0, 0))
        first, last = min(whole.months), max(whole.months)
        made = np.zeros((last - first + 1, self.shape[1]))
        for month, stratum, talks in zip(whole.months, whole.strata, whole.talks, strict=True):
            made[month - first, self._column[stratum]] += talks
        return made

    def grid(self, values: ArrayLike, places: NDArray[np.int64] | None = None) -> Floats:
        """Return sums of values by period and stratum: float64 [periods, strata]."""
        places = self._all if places is None else places
        size = self.shape[0] * self.shape[1]
        summed = np.bincount(places, np.asarray(values, np.float64), size)
        return summed.astype(np.float64, copy=False).reshape(self.shape)


def _grids(by_unit: UnitSums, cells: _Cells) -> Iterator[tuple[int, tuple[Floats, Floats, Floats]]]:
    """Yield each unit with its sums by period and stratum."""
    places = cells.places(by_unit.months, by_unit.strata)
    columns = [
        np.asarray(each, np.float64) for each in (by_unit.counted, by_unit.counted_squared, by_unit.product)
    ]
    at: dict[int, list[int]] = defaultdict(list)
    for place, unit in enumerate(by_unit.units):
        at[unit].append(place)
    for unit, found in at.items():
        counted, squared, product = (cells.grid(each[found], places[found]) for each in columns)
        yield unit, (counted, squared, product)


def _rows(found: StandardisedShares, amounts: Floats, of: Floats) -> Iterator[StandardisedShare]:
    columns = (found.share, found.low, found.high, amounts, of, found.covered)
    for share, low, high, amount, of_amount, covered in zip(
        *(each.tolist() for each in columns), strict=True
    ):
        yield {
            "share": share,
            "low": low,
            "high": high,
            "amount": amount,
            "of_amount": of_amount,
            "covered": covered,
        }
