"""The soak's uploads are passages of talks, dated over a year; growth is told for a thousand talks."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from benchmarks.soak import BEGIN, DAYS, Sample, growth, uploads
from streams.errors import DataError


def file_of(folder: Path, name: str, words: int) -> Path:
    """Write a talk of segments of ten words."""
    segments = [
        {"text": " ".join(f"{name}{number + i}" for i in range(10))} for number in range(0, words, 10)
    ]
    path = folder / f"{name}.jsonl"
    path.write_text(f"{json.dumps({'id': name, 'segments': segments})}\n")
    return path


def test_shows_take_turns_and_no_word_comes_twice(tmp_path: Path) -> None:
    files = [file_of(tmp_path, "a", 100), file_of(tmp_path, "b", 250)]
    made = uploads(files, 7, 30)
    assert [each["id"] for each in made] == ["a:0", "b:0", "a:1", "b:1", "a:2", "b:2", "b:3"]
    words = [word for each in made for segment in each["segments"] for word in segment["text"].split()]
    assert len(words) == len(set(words)) == 7 * 30
    dates = [each["published_at"] for each in made]
    assert dates == sorted(dates) and dates[0][:10] == "2025-01-06"
    assert dates[-1] == (BEGIN + timedelta(days=DAYS * 6 / 7)).isoformat()


def test_too_few_passages_are_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="only 3 passages of 30 words"):
        uploads([file_of(tmp_path, "a", 100)], 4, 30)


def test_growth_is_by_a_thousand_talks() -> None:
    samples = [
        Sample(week, 0, week * 500, 0, 0, 1.0, 100 + week * 10, 20, 5, 7, 1, 1, 1) for week in range(1, 9)
    ]
    assert growth(samples, "memory_mb") == 20
    assert growth(samples, "broker_mb") == 0
