"""View of events on the time axis of shares, which say why a line may move."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from agents.queries.mix import mix
from agents.queries.rows import TimelineEvent
from streams.store.codebook.decisions import codebook_decisions
from streams.store.codebook.effective import EffectiveCodebook, book
from streams.store.queries import strata
from streams.store.queries.aggregation import month_named
from streams.store.queries.emerging import emerging
from streams.store.queries.selection import EVERYTHING, Selection
from streams.store.warehouse import Warehouse

BEGINNING = 3
"""Months from the study's first talk on in which sources do not join, but begin with it."""
MOST = 1000
"""Maximum number of alerts, and of decisions, that are looked at: the newest."""


def timeline(
    warehouse: Warehouse, selection: Selection = EVERYTHING, applied: EffectiveCodebook | None = None
) -> list[TimelineEvent]:
    """Return the alerts, the sources that joined, the changes of the mix and the decisions, by month.

    Alerts that were dismissed, and sources that the study began with, are left out. A source joins in the
    month of its first talk. Decisions change the numbers of all months; they are in the month in which they
    were made.
    """
    applied = applied or book(warehouse, selection.codebook)
    found = [
        *_alerts(warehouse, selection),
        *_joined(warehouse, selection, applied),
        *(
            _event(each["month"], "mix", each["said"])
            for each in mix(warehouse, selection, applied)["changes"]
        ),
        *_decisions(warehouse),
    ]
    first, last = (selection.first or "0000-00")[:7], (selection.last or "9999-99")[:7]
    return sorted(
        (each for each in found if first <= each["month"] <= last),
        key=lambda each: (each["month"], each["kind"], each["said"]),
    )


def _event(
    month: str, kind: str, said: str, alert_id: str = "", topic_id: int | None = None
) -> TimelineEvent:
    return {"month": month, "kind": kind, "said": said, "alert_id": alert_id, "topic_id": topic_id}


def _alerts(warehouse: Warehouse, selection: Selection) -> list[TimelineEvent]:
    return [
        _event(f"{row['raised_at']:%Y-%m}", "alert", row["title"], row["alert_id"], row["topic_id"])
        for row in emerging(warehouse, selection, limit=MOST)
        if row["raised_at"] and row["verdict"] != "dismissed"
    ]


def _joined(warehouse: Warehouse, selection: Selection, applied: EffectiveCodebook) -> list[TimelineEvent]:
    at_any_time = replace(selection, first=None, last=None)
    months = strata.stratum_months(warehouse, at_any_time, applied)["source"]
    began = min((each.month for each in months), default=0)
    first: dict[str, int] = {}
    names: dict[str, str] = {}
    for each in months:
        if each.stratum != strata.UNKNOWN:
            first[each.stratum] = min(first.get(each.stratum, each.month), each.month)
            names[each.stratum] = each.name
    return [
        _event(month_named(month), "source", f"{names[source]} joins")
        for source, month in first.items()
        if month >= began + BEGINNING
    ]


def _decisions(warehouse: Warehouse) -> list[TimelineEvent]:
    made = Counter(f"{each['decided_at']:%Y-%m}" for each in codebook_decisions(warehouse, limit=MOST))
    return [
        _event(month, "codebook", f"{count} decision{'s' if count > 1 else ''} about the codebook")
        for month, count in made.items()
    ]
