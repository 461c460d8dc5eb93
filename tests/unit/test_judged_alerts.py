"""Counts of alerts by our verdicts on their subjects, in benchmarks/topics/onsets.py."""

import csv

from benchmarks.topics.baselines import Alert
from benchmarks.topics.onsets import JUDGED, judged


def alert(subject: str) -> Alert:
    return Alert(0, subject, (), (), (), "")


def test_alerts_are_counted_by_the_verdict_on_their_subject() -> None:
    found = judged([alert("ChatGPT"), alert("RAG"), alert("eCommerce"), alert("never seen before")])
    assert found == {"news": 2, "no_news": 1, "not_judged": 1}


def test_every_subject_has_one_verdict_and_a_no_its_reason() -> None:
    with JUDGED.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    subjects = [row["subject"] for row in rows]
    assert len(set(subjects)) == len(subjects)
    assert all(subject == subject.lower() for subject in subjects)
    assert {row["news"] for row in rows} == {"yes", "no"}
    assert all(row["why"] for row in rows if row["news"] == "no")
