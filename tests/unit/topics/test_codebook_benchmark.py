"""Scores of the codebook benchmark, on labels whose scores can be worked out by hand."""

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from benchmarks.topics.codebook import by_words
from benchmarks.topics.gold import located, read_gold, readings_of
from benchmarks.topics.multilabel import Readings, score
from benchmarks.topics.streams import Video
from models.codebook.codebook import load
from streams.errors import DataError


def paragraph(talk: str, position: int, text: str, **labels: list[int]) -> str:
    place = {"file": "show", "talk": talk, "position": position, "published_at": "2023-05-01"}
    return json.dumps(place | {"text": text, "stratum": "keyword2"} | labels)


def gold(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n")
    return path


def test_precision_is_over_any_reading_and_recall_over_all() -> None:
    every = np.array([[1, 0], [0, 0], [0, 1]], bool)
    some = np.array([[1, 1], [0, 0], [0, 1]], bool)
    given = np.array([[1, 1], [1, 0], [0, 0]], bool)
    found = score(given, Readings(every, some, ("a", "b", "c")))
    assert (found.given, found.right, found.wanted, found.found) == (3, 2, 2, 1)
    assert (found.precision, found.recall) == (pytest.approx(2 / 3), 0.5)
    assert found.f1 == pytest.approx(4 / 7)
    low, high = found.f1_interval
    assert 0 <= low <= found.f1 <= high <= 1


def test_without_labels_every_score_is_zero() -> None:
    none = np.zeros((2, 3), bool)
    found = score(none, Readings(none, none, ("a", "b")))
    assert (found.precision, found.recall, found.f1, found.f1_interval) == (0, 0, 0, (0, 0))


def test_a_theme_is_given_when_any_of_its_topics_is() -> None:
    every = np.array([[1, 0, 0], [0, 0, 1]], bool)
    themes = Readings(every, every, ("a", "b")).of_labels([[0, 1], [2]])
    assert themes.every.tolist() == [[True, False], [False, True]]


def test_gold_is_read_once_or_twice_and_found_by_its_text(tmp_path: Path) -> None:
    path = gold(
        tmp_path / "gold.jsonl",
        paragraph("t1", 5, "We fine-tuned it.", both=[5], either=[5, 8]),
        paragraph("t1", 0, "Hello.", once=[]),
        paragraph("elsewhere", 0, "Not here.", once=[1]),
    )
    read = read_gold(path)
    assert [(each.every, each.some, each.stratum) for each in read[:2]] == [
        ((5,), (5, 8), "keyword"),
        ((), (), "keyword"),
    ]
    video = Video("t1", datetime(2023, 5, 1, tzinfo=UTC), "show", "", ("Hello.", "We fine-tuned it."), (0, 9))
    kept, rows = located(read, [video])
    assert ([each.text for each in kept], rows) == (
        ["We fine-tuned it.", "Hello."],
        {("t1", 1): 0, ("t1", 0): 1},
    )


def test_what_is_no_gold_is_refused_with_cause_and_cure(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"line 1 of gold\.jsonl is not a gold paragraph"):
        read_gold(gold(tmp_path / "gold.jsonl", '{"talk": "t1"}'))
    other = read_gold(gold(tmp_path / "other.jsonl", paragraph("t1", 0, "x", once=[21])))
    with pytest.raises(DataError, match="the codebook has 20 topics"):
        readings_of(other, 20)


def test_two_words_of_a_topic_are_needed() -> None:
    book = load("llm-in-production")
    said = ["We use LoRA and QLoRA adapters.", "We use LoRA.", "It rains."]
    given = by_words(said, book)
    fine_tuning = [topic.key for topic in book.topics].index("fine-tuning")
    assert given[:, fine_tuning].tolist() == [True, False, False]
