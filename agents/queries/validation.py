"""Validation of the codebook: precision, recall and corrected shares, by what people said of a sample."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray
from typing_extensions import TypedDict

from agents.queries.like_for_like import SharesByPeriod, StandardisedShare
from agents.queries.rows import Corrected
from models.relevance.kappa import agreement
from models.stats.trend import Interval, wilson
from models.stats.validation import Estimate, Validity, validity
from streams.store.cache import cached
from streams.store.codebook.effective import TABLES as CODEBOOK
from streams.store.codebook.effective import EffectiveCodebook, book
from streams.store.codebook.validation import coded_topics, sampled_codings, totals, units_of
from streams.store.rows.validation import SampledCoding
from streams.store.warehouse import Warehouse

SHOWN_FROM = 0.5
"""Lower end of the precision's interval from which a count is validated: more often right than wrong."""
CORRECTABLE = ("paragraphs", "none")
"""Basis and standard of the shares that can be corrected: it is paragraphs that people code."""
TABLES = (*CODEBOOK, "validation_samples", "codings", "assignments", "memberships", "video_topics")
"""Tables that the results depend on."""


class ValidatedCount(TypedDict):
    """What a coded sample says about the count of a topic, of a theme, or of all topics.

    Rates are in [0, 1], each with its 95 % interval; they are None where the sample cannot say.
    """

    kind: Literal["topic", "theme", "all"]
    topic_id: int | None
    """None for a theme and for all."""
    name: str
    coded: int
    """Paragraphs of the sample that anybody has coded."""
    counted: int
    """Those of them that are counted."""
    right: float
    """Those of the counted that are about it; a half where two people differ."""
    about: float
    """Those of the sample that are about it."""
    kappa: float | None
    """Agreement of people beyond chance (Cohen), on the paragraphs that two have coded."""
    precision: float | None
    precision_low: float | None
    precision_high: float | None
    recall: float | None
    recall_low: float | None
    recall_high: float | None
    share: float
    """Counted paragraphs over all paragraphs of the talks that count."""
    corrected: float | None
    """That share without the errors of the count."""
    corrected_low: float | None
    corrected_high: float | None
    validated: bool
    """Whether its precision is shown to be above one half."""


@dataclass(frozen=True)
class _Coded:
    """The coded paragraphs: weights [n], and for each the reviewers with what they said."""

    rows: Sequence[SampledCoding]
    weights: NDArray[np.float64]

    def about(self, keys: frozenset[str]) -> NDArray[np.float64]:
        """Return the share of each paragraph's reviewers who name any of the topics, float [n]."""
        return np.array([np.mean([_any(said, keys) for said in row["said"]]) for row in self.rows])

    def kappa(self, groups: Iterable[frozenset[str]]) -> float | None:
        """Return the agreement of each pair of reviewers of a paragraph, over paragraphs and groups."""
        one: list[str] = []
        other: list[str] = []
        for keys in groups:
            for row in self.rows:
                answers = [str(_any(said, keys)) for said in row["said"]]
                for at, answer in enumerate(answers):
                    one += [answer] * (len(answers) - at - 1)
                    other += answers[at + 1 :]
        return agreement(one, other).kappa


class _Unit(NamedTuple):
    """What is counted."""

    kind: Literal["topic", "theme", "all"]
    topic_id: int | None
    name: str


def validation(warehouse: Warehouse) -> list[ValidatedCount]:
    """Return the validity of all topics together, of each theme and of each topic of the codebook.

    Empty before anybody has coded a paragraph of the newest sample. Only topics of the codebook can be
    validated, so a theme that also has topics born from the talks is left out.
    """
    return cached(warehouse, ("validation",), TABLES, lambda: _validated(warehouse))


def _validated(warehouse: Warehouse) -> list[ValidatedCount]:
    applied = book(warehouse)
    counts = [*_themes(warehouse, applied), *_topics(warehouse, applied)]
    every = [each for each in counts if each.row["kind"] == "topic"]
    if not every:
        return []
    coded = every[0].coded
    whole = _row(
        _Unit("all", None, "All topics"),
        coded,
        [each.keys for each in every],
        validity(
            np.concatenate([each.counted for each in every]),
            np.concatenate([each.about for each in every]),
            np.tile(coded.weights, len(every)),
            sum(each.validity.counted_total for each in every),
            sum(each.validity.total for each in every),
        ),
    )
    return [whole | {"coded": len(coded.rows)}, *(each.row for each in counts)]


def validities(warehouse: Warehouse, of: Literal["topic", "theme"]) -> Mapping[int | str, Validity]:
    """Return the validity of each topic, by id, or of each theme, by name, for which the sample has one."""

    def found() -> Mapping[int | str, Validity]:
        count = _themes if of == "theme" else _topics
        return {
            each.row["topic_id"] or each.row["name"]: each.validity
            for each in count(warehouse, book(warehouse))
        }

    return cached(warehouse, ("validities", of), TABLES, found)


def corrected(of: Validity | None, row: StandardisedShare | Mapping[str, Any]) -> Corrected:
    """Return the share of paragraphs in a row without the errors of the count; None where it is not known."""
    found = of.corrected(row["share"], Interval(row["low"], row["high"])) if of is not None else None
    return cast("Corrected", _named("corrected", found))


def without_errors(
    shares: SharesByPeriod, valid: Mapping[int | str, Validity], units: Iterable[int | str]
) -> SharesByPeriod:
    """Return shares of paragraphs without the errors of the count; units of unknown validity are left out."""
    found: dict[int | str, dict[str, StandardisedShare]] = {}
    for unit in units:
        of = valid.get(unit)
        if of is None or of.ratio is None:
            continue
        found[unit] = {}
        for period in shares.none:
            share = shares.of(unit, period)
            each = of.corrected(share["share"], Interval(share["low"], share["high"]))
            assert each is not None, "there is a ratio"
            found[unit][period] = {**share, "share": each.value, "low": each.low, "high": each.high}
    return SharesByPeriod(found, shares.none)


@dataclass(frozen=True)
class _Count:
    """One topic or theme: its row, and what the row was computed from."""

    row: ValidatedCount
    validity: Validity
    keys: frozenset[str]
    counted: NDArray[np.bool_]
    about: NDArray[np.float64]
    coded: _Coded


def _topics(warehouse: Warehouse, applied: EffectiveCodebook) -> list[_Count]:
    keys = coded_topics(warehouse, applied)
    units = units_of(applied, keys)
    return _counts(
        warehouse,
        applied,
        units,
        {topic_id: frozenset([key]) for topic_id, key in keys.items()},
        lambda unit: _Unit("topic", unit, applied.name_of(unit)),
    )


def _themes(warehouse: Warehouse, applied: EffectiveCodebook) -> list[_Count]:
    """Count themes all of whose topics are topics of the codebook."""
    keys = coded_topics(warehouse, applied)
    topics: dict[str, list[int]] = {}
    for entry in applied.retained:
        topics.setdefault(entry.theme, []).append(entry.topic_id)
    names = dict(
        enumerate((name for name in sorted(topics) if all(each in keys for each in topics[name])), 1)
    )
    numbers = {name: number for number, name in names.items()}
    units = {
        topic_id: numbers[entry.theme]
        for topic_id, entry in applied.counted.items()
        if entry.theme in numbers
    }
    return _counts(
        warehouse,
        applied,
        units,
        {number: frozenset(keys[each] for each in topics[name]) for number, name in names.items()},
        lambda unit: _Unit("theme", None, names[unit]),
    )


def _counts(
    warehouse: Warehouse,
    applied: EffectiveCodebook,
    units: Mapping[int, int],
    keys: Mapping[int, frozenset[str]],
    called: Callable[[int], _Unit],
) -> list[_Count]:
    rows = sampled_codings(warehouse, applied, units)
    if not rows:
        return []
    coded = _Coded(rows, np.array([row["weight"] for row in rows], np.float64))
    total, counted_totals = totals(warehouse, applied, units)
    found = []
    for unit, own in sorted(keys.items()):
        counted = np.array([unit in row["counted"] for row in rows], np.bool_)
        about = coded.about(own)
        of = validity(counted, about, coded.weights, counted_totals[unit]["counted"], total)
        row = _row(called(unit), coded, [own], of)
        found.append(_Count(row, of, own, counted, about, coded))
    return found


def _row(unit: _Unit, coded: _Coded, groups: Sequence[frozenset[str]], of: Validity) -> ValidatedCount:
    share = of.counted_total / of.total if of.total else 0.0
    precision = of.precision
    found = {
        **unit._asdict(),
        "coded": of.coded,
        "counted": of.counted,
        "right": of.right,
        "about": of.about,
        "kappa": coded.kappa(groups),
        **_named("precision", precision),
        **_named("recall", of.recall),
        "share": share,
        **_named("corrected", of.corrected(share, wilson(of.counted_total, of.total))),
        "validated": precision is not None and precision.low >= SHOWN_FROM,
    }
    return cast("ValidatedCount", found)


def _named(name: str, estimate: Estimate | None) -> dict[str, float | None]:
    if estimate is None:
        return {name: None, f"{name}_low": None, f"{name}_high": None}
    return {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}


def _any(said: Iterable[str], keys: frozenset[str]) -> bool:
    return not keys.isdisjoint(said)
