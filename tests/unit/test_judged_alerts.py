"""Counts of alerts by two readers' verdicts on their subjects, in benchmarks/topics/onsets.py."""

import csv
from pathlib import Path

import pytest

from benchmarks.topics.baselines import Alert
from benchmarks.topics.onsets import JUDGED, JUDGED_OF_ONE_SOURCE, READERS, judged


def alert(subject: str) -> Alert:
    return Alert(0, subject, (), (), (), "")


def test_alerts_are_counted_by_the_verdicts_on_their_subject() -> None:
    found = judged([alert("ChatGPT"), alert("RAG"), alert("Raycast"), alert("never seen before")], JUDGED)
    assert found["first"] == {"news": 2, "no_news": 1, "not_judged": 1}
    assert found["second"] == {"news": 3, "no_news": 0, "not_judged": 1}
    assert found["kappa"] == pytest.approx(0.0)


def test_readers_who_agree_have_a_kappa_of_one() -> None:
    found = judged([alert("GPT-3"), alert("Posit")], JUDGED_OF_ONE_SOURCE)
    assert found["kappa"] == pytest.approx(1.0)


@pytest.mark.parametrize("path", [JUDGED, JUDGED_OF_ONE_SOURCE])
def test_every_subject_has_its_verdicts_once_and_a_no_its_reason(path: Path) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    subjects = [row["subject"].lower() for row in rows]
    assert len(set(subjects)) == len(subjects)
    assert {row[reader] for row in rows for reader in READERS} <= {"yes", "no", ""}
    assert all(row["first"] or row["second"] for row in rows)
    assert all(row["why"] for row in rows if "no" in (row["first"], row["second"]))
