"""The mix of sources and lengths that talks come from, by month, and when it changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from agents.queries.rows import Mix, MixChange, MixShare
from agents.queries.wording import mix_changed, of_length
from models.stats import mix as statistics
from streams.store.cache import cached
from streams.store.codebook.effective import TABLES as CODEBOOK
from streams.store.codebook.effective import EffectiveCodebook, book
from streams.store.queries import strata as sums
from streams.store.queries.aggregation import month_named
from streams.store.queries.selection import EVERYTHING, Selection
from streams.store.queries.strata import UNKNOWN, StratumKind, StratumMonth
from streams.store.warehouse import Warehouse

TABLES = (*CODEBOOK, "video_topics")
"""Tables that it depends on."""
SEED = 0
"""Of the permutations, so that the same talks give the same answer."""


def mix(
    warehouse: Warehouse, selection: Selection = EVERYTHING, applied: EffectiveCodebook | None = None
) -> Mix:
    """Return which sources the talks come from and how long they are, by month, and when that changed.

    The talks are those that prevalence counts. While the mix changes, shares of talks move with it: the
    parameter `standard` of `prevalence` and `topic_months` holds it fixed.
    """
    applied = applied or book(warehouse, selection.codebook)
    return cached(warehouse, ("mix", selection, applied), TABLES, lambda: _mix(warehouse, selection, applied))


def _mix(warehouse: Warehouse, selection: Selection, applied: EffectiveCodebook) -> Mix:
    changes: list[MixChange] = []
    rows: list[MixShare] = []
    for kind, talks in sums.stratum_months(warehouse, selection, applied).items():
        names = _names(talks, kind)
        rows += _rows(talks, kind, names)
        changes += _changes(talks, kind, names)
    return {"changes": sorted(changes, key=lambda change: (change["month"], change["kind"])), "rows": rows}


def _names(talks: Sequence[StratumMonth], kind: StratumKind) -> dict[str, str]:
    """Return what each stratum is called; a source is called as in its newest month."""
    if kind == "source":
        return {each.stratum: each.name if each.stratum != UNKNOWN else "" for each in talks}
    known = {each.stratum for each in talks} - {UNKNOWN}
    return {stratum: of_length(*sums.class_of_length(stratum)) for stratum in known} | {UNKNOWN: ""}


def _rows(talks: Sequence[StratumMonth], kind: StratumKind, names: Mapping[str, str]) -> list[MixShare]:
    of_videos: dict[int, int] = {}
    for each in talks:
        of_videos[each.month] = of_videos.get(each.month, 0) + each.talks
    return [
        {
            "month": month_named(each.month),
            "kind": kind,
            "stratum": each.stratum,
            "name": names[each.stratum],
            "videos": each.talks,
            "of_videos": of_videos[each.month],
            "share": each.talks / of_videos[each.month],
        }
        for each in talks
    ]


def _changes(talks: Sequence[StratumMonth], kind: StratumKind, names: Mapping[str, str]) -> list[MixChange]:
    if not talks:
        return []
    first, last = min(each.month for each in talks), max(each.month for each in talks)
    strata = sorted(names.keys() & {each.stratum for each in talks})
    column = {stratum: place for place, stratum in enumerate(strata)}
    counts = np.zeros((last - first + 1, len(strata)), np.int64)
    for each in talks:
        counts[each.month - first, column[each.stratum]] += each.talks
    found = statistics.mix_changes(counts, np.random.default_rng(SEED))
    return [_change(change, month_named(first + change.at), kind, strata, names) for change in found]


def _change(
    change: statistics.MixChange,
    month: str,
    kind: StratumKind,
    strata: Sequence[str],
    names: Mapping[str, str],
) -> MixChange:
    """Return a change with the stratum whose share changed most; of equal ones, the one that gained."""
    before, after = change.before / change.before.sum(), change.after / change.after.sum()
    moved = after - before
    most = max(range(len(strata)), key=lambda place: (round(abs(moved[place]), 9), moved[place]))
    made: MixChange = {
        "month": month,
        "kind": kind,
        "stratum": strata[most],
        "name": names[strata[most]],
        "videos": int(change.after[most]),
        "of_videos": int(change.after.sum()),
        "share": float(after[most]),
        "before_videos": int(change.before[most]),
        "before_of_videos": int(change.before.sum()),
        "before_share": float(before[most]),
        "distance": change.distance,
        "p": change.p,
        "said": "",
    }
    made["said"] = mix_changed(made)
    return made
