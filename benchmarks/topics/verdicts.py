"""What readers say of alerts: verdicts in the CSV files beside this, and counts of alerts by them.

A row names the subject of an alert and, if one source alone has it, that source; `first` and `second` are the
verdicts of two readers ("yes": news), and `why` is the reason of a "no". Who read what is in onsets.py and
ablation.py.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.topics.baselines import Alert
from models.relevance.kappa import agreement

OF_SEVERAL = Path(__file__).with_name("judged_alerts.csv")
OF_ONE_SOURCE = Path(__file__).with_name("judged_of_one_source.csv")
WITHOUT_A_RULE = Path(__file__).with_name("judged_without_a_rule.csv")
READERS = ("first", "second")
"""Columns of their verdicts."""

Verdicts = Mapping[tuple[str, str], Mapping[str, str]]
"""{(subject in lower case, the source that alone has it or ""): row}."""


def read(*paths: Path) -> Verdicts:
    """Return the verdicts of the files; those of later files count."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for path in paths:
        with path.open(encoding="utf-8", newline="") as file:
            found |= {(row["subject"].lower(), row.get("source", "")): row for row in csv.DictReader(file)}
    return found


def key(alert: Alert) -> tuple[str, str]:
    """Return what the verdicts on an alert are found by."""
    return alert.subject.lower(), alert.only_on


def by_reader(alerts: Sequence[Alert], known: Verdicts) -> dict[str, Any]:
    """Count alerts by what either reader says of them: {first, second: {news, no_news, not_judged}}.

    With `kappa`, the agreement of both readers about the alerts that both judged.
    """
    rows = [known.get(key(alert), {}) for alert in alerts]
    found: dict[str, Any] = {}
    for reader in READERS:
        said = Counter(row.get(reader, "") for row in rows)
        found[reader] = {"news": said["yes"], "no_news": said["no"], "not_judged": said[""]}
    both = [row for row in rows if all(row.get(reader) for reader in READERS)]
    first, second = ([row[reader] for row in both] for reader in READERS)
    return found | {"kappa": agreement(first, second).kappa}


def by_agreement(alerts: Sequence[Alert], known: Verdicts) -> dict[str, int]:
    """Count the alerts that are news to both readers, to one, to none, and those that nobody has judged."""
    said: Counter[str] = Counter()
    for alert in alerts:
        row = known.get(key(alert), {})
        read = [row[reader] for reader in READERS if row.get(reader)]
        said["not judged" if len(read) < 2 else ("to none", "to one", "to both")[read.count("yes")]] += 1
    return {
        "alerts": len(alerts),
        **{name: said[name] for name in ("to both", "to one", "to none", "not judged")},
    }
