"""Counts of alerts by two readers' verdicts on their subjects, in benchmarks/topics/verdicts.py."""

import csv
from pathlib import Path

import pytest

from benchmarks.topics.baselines import Alert
from benchmarks.topics.verdicts import (
    OF_ONE_SOURCE,
    OF_SEVERAL,
    READERS,
    WITHOUT_A_RULE,
    by_agreement,
    by_reader,
    read,
)


def alert(subject: str, only_on: str = "") -> Alert:
    return Alert(0, subject, (), (), (), "", only_on)


def test_alerts_are_counted_by_the_verdicts_on_their_subject() -> None:
    told = [alert("ChatGPT"), alert("RAG"), alert("Raycast"), alert("never seen before")]
    found = by_reader(told, read(OF_SEVERAL))
    assert found["first"] == {"news": 2, "no_news": 1, "not_judged": 1}
    assert found["second"] == {"news": 3, "no_news": 0, "not_judged": 1}
    assert found["kappa"] == pytest.approx(0.0)


def test_readers_who_agree_have_a_kappa_of_one() -> None:
    told = [alert("GPT-3", "Practical AI"), alert("Posit", "Talk Python To Me")]
    found = by_reader(told, read(OF_ONE_SOURCE))
    assert found["kappa"] == pytest.approx(1.0)


def test_alerts_are_counted_by_what_both_readers_say() -> None:
    said = {"a": ("yes", "yes"), "b": ("yes", "no"), "c": ("no", "no"), "d": ("yes", "")}
    known = {(name, ""): {"first": first, "second": second} for name, (first, second) in said.items()}
    found = by_agreement([*map(alert, "ABCDE"), alert("A", "amber")], known)
    assert found == {"alerts": 6, "to both": 1, "to one": 1, "to none": 1, "not judged": 3}


def test_the_verdicts_of_the_later_file_count(tmp_path: Path) -> None:
    earlier, later = tmp_path / "earlier.csv", tmp_path / "later.csv"
    earlier.write_text("subject,source,first\nZoom,,yes\nZoom,amber,yes\n")
    later.write_text("subject,first\nzoom,no\n")
    known = read(earlier, later)
    assert {name: row["first"] for name, row in known.items()} == {
        ("zoom", ""): "no",
        ("zoom", "amber"): "yes",
    }


@pytest.mark.parametrize("path", [OF_SEVERAL, OF_ONE_SOURCE, WITHOUT_A_RULE])
def test_every_subject_has_its_verdicts_once_and_a_no_its_reason(path: Path) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(read(path)) == len(rows)
    assert {row[reader] for row in rows for reader in READERS} <= {"yes", "no", ""}
    assert all(row["first"] or row["second"] for row in rows)
    assert all(row["why"] for row in rows if "no" in (row["first"], row["second"]))
