"""The benchmarks of screening and of duplicates count rightly, and say what is missing first."""

import gzip
import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import duplicates, screening
from models.dedup.metadata_duplicates import Upload
from models.relevance.ranking import LabelledVideo, TalkMetadata

PROGRAM = Path(screening.__file__)


def label(at: int, keep: bool) -> LabelledVideo:
    vector = np.array([1.0 if keep else -1.0, at / 100], np.float32)
    return LabelledVideo(
        f"v{at}", TalkMetadata(f"talk {at}"), vector, keep, "experience report" if keep else "other"
    )


def talk(name: str, day: str, **more: Any) -> dict[str, Any]:
    return {
        "id": name,
        "source": "s",
        "show": "S",
        "published_at": day,
        "words": 5_000,
        "segments": [],
    } | more


def test_without_the_data_it_says_what_is_missing(tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, str(PROGRAM)],
        env=os.environ | {"GROUNDSWELL_TEST_DATA": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert answer.returncode == 1
    assert "cannot measure: there is nothing to measure with: labelled/pyvideo" in answer.stderr
    assert "GROUNDSWELL_TEST_DATA" in answer.stderr


def test_a_perfect_order_and_its_threshold_are_measured_as_such() -> None:
    truth = np.array([True] * 20 + [False] * 60)
    found = screening.measured(np.where(truth, 0.9, 0.1), truth, [0.5, None])
    assert found["auc"] == found["average_precision"] == 1
    assert found["saved_at_95"] == pytest.approx(0.75)
    assert (found["recall_for_0.95"], found["precision_for_0.95"], found["saved_for_0.95"]) == (1, 1, 0.75)
    assert "recall_for_0.99" not in found


def test_means_over_seeds_say_how_many_had_a_threshold() -> None:
    truth = np.array([True, False])
    rows = [screening.measured(np.array([1.0, 0.0]), truth, at) for at in ([0.5, None], [None, None])]
    found = screening.mean(rows)
    assert (found["seeds"], found["with_threshold"], found["auc_lowest"]) == (2, {"0.95": 1, "0.99": 0}, 1.0)


def test_the_baseline_learns_embeddings_but_not_from_one_verdict() -> None:
    late = [label(at, at % 2 == 0) for at in range(10)]
    scores, thresholds = screening.plain([label(at, at % 2 == 0) for at in range(60)], late)
    assert min(scores[::2]) > max(scores[1::2])
    assert thresholds[0] is not None
    assert thresholds[1] is None
    scores, thresholds = screening.plain([label(at, True) for at in range(60)], late)
    assert set(scores) == {0.5}
    assert thresholds == [None, None]


def test_real_groups_are_counted_as_right_wrong_and_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROUNDSWELL_TEST_DATA", str(tmp_path))
    (tmp_path / "talks").mkdir()
    title, ann = "Lessons from running retrieval in production", ["Ann Lee"]
    records = [
        talk("a:1", "2024-01-01", title=title, speakers=ann, show="A"),
        talk("b:1", "2024-01-09", title=f"{title} (repost)", speakers=ann, show="B"),
        talk("a:2", "2024-02-01", title="Cooking", show="A"),
        talk("b:2", "2024-02-02", title="Kitchens", show="B"),
        talk("c:1", "2024-03-01", title="Evaluating agents before customers meet them", show="C"),
        talk("d:1", "2024-03-02", title="Evaluating agents before customers meet them", show="D"),
    ]
    lines = "".join(f"{json.dumps(record)}\n" for record in records)
    (tmp_path / "talks" / "all.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    groups = [
        [[one, "", ""], [other, "", ""]] for one, other in (("a:1", "b:1"), ("a:2", "b:2"), ("x", "a:1"))
    ]
    (tmp_path / "near_duplicate_groups.json").write_text(json.dumps(groups))
    found = duplicates.real_groups()
    assert (found["groups"], found["groups_with_talks_here"], found["talks"]) == (3, 2, 6)
    assert (found["right"], found["wrong"], found["missed"]) == (1, 1, 1)
    assert (found["precision"], found["recall"]) == (0.5, 0.5)
    assert found["pairs_by_words"] == {"right": 0, "wrong": 0, "missed": 2}, "nothing was said in these"
    assert found["rejected_by_words"] == {"right": 0, "wrong": 0, "missed": 2}
    assert (found["neighbours"], found["neighbours merged"]) == (2, 0)


def test_repeats_are_rejected_rightly_or_wrongly_by_the_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GROUNDSWELL_TEST_DATA", str(tmp_path))
    (tmp_path / "talks").mkdir()

    def said(seed: int) -> list[dict[str, str]]:
        words = np.random.default_rng(seed).integers(0, 500, 4_000)
        return [{"text": " ".join("w" + "abcdefghij"[word % 10] * (1 + word // 10) for word in words)}]

    records = [
        talk("a", "2024-01-01", segments=said(1)),
        talk("a again", "2024-02-01", segments=said(1)),
        talk("b", "2024-03-01", segments=said(2)),
        talk("b again, in no group", "2024-04-01", segments=said(2)),
        talk("c, in a group with a", "2024-05-01", segments=said(3)),
    ]
    lines = "".join(f"{json.dumps(record)}\n" for record in records)
    (tmp_path / "talks" / "all.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    groups = [[["a", "", ""], ["a again", "", ""], ["c, in a group with a", "", ""]]]
    (tmp_path / "near_duplicate_groups.json").write_text(json.dumps(groups))
    found = duplicates.real_groups()
    assert found["pairs_by_words"] == {"right": 1, "wrong": 1, "missed": 2}
    assert found["rejected_by_words"] == {"right": 1, "wrong": 1, "missed": 1}
    assert found["rejected_in_no_group"] == [["b again, in no group", "it repeats what b said: 100% of it"]]
    assert found["remembered"]["talks"] == 20_000


def test_constructed_copies_are_found_and_traps_are_not() -> None:
    talks = [
        {
            "id": f"t{at}",
            "url": f"u{at}",
            "title": f"{word} databases without losing customers or sleep",
            "event": "conf",
            "published_at": "2024-01-01",
            "duration_s": 1500 + 100 * at,
            "speakers": [f"{word} Jones"],
            "vector": np.eye(5, dtype=np.float32)[at],
        }
        for at, word in enumerate(("Migrating", "Sharding", "Tuning", "Copying", "Upgrading"))
    ]
    found = duplicates.copies(talks, 5)
    assert found["flagged_as_repeats"] == 0
    assert found["found_share"]["cross-post"] == 1
    assert found["found_share"]["trap: part 2"] == found["found_share"]["trap: other speaker"] == 0
    assert duplicates.uploaded(talks[0] | {"duration_s": 30}).duration_s is None
    assert isinstance(duplicates.uploaded(talks[0]), Upload)
    assert duplicates.uploaded(talks[0]).published_on == date(2024, 1, 1)
    assert duplicates.large(talks, 50)["known"] == 50
