"""The splitting benchmark reads people's section marks and measures cuts against them correctly."""

from __future__ import annotations

import doctest
import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import splitting
from benchmarks.splitting import Talk, compared, fixed, measured, packed, pk, read, windowdiff
from models.transcripts.splitting import SPECIAL_TOKENS

PROGRAM = Path(splitting.__file__)
FIRST = "We run agents. They call tools."
SECOND = "Evaluation is hard. Nobody agrees on it."
THIRD = "Prices fell. So we moved, e.g. to Oslo."


def record(**more: Any) -> dict[str, Any]:
    segments = [
        {"text": FIRST, "speaker": "Ann", "section": "agents"},
        {"text": " "},
        {"text": "Do they?", "speaker": "Bo", "section": "agents"},
        {"text": SECOND, "speaker": "Ann", "section": "evaluation"},
        {"text": THIRD, "speaker": "Ann"},
    ]
    return {"id": "t", "segments": segments} | more


def talk() -> Talk:
    found = read(record())
    assert found is not None
    return found


class Counting:
    """A word is a token."""

    max_tokens = 9 + SPECIAL_TOKENS

    def _count(self, text: str) -> int:
        return len(text.split()) + SPECIAL_TOKENS


def test_the_examples_hold() -> None:
    found = doctest.testmod(splitting)
    assert found.attempted >= 4
    assert found.failed == 0


def test_sections_begin_where_the_heading_changes() -> None:
    found = talk()
    assert found.words[:3] == ["We", "run", "agents."]
    assert (found.turns, found.sections) == ([6, 8], [8, 15])
    assert found.sentences == [3, 6, 8, 11, 15, 17, 23]  # not after "e.g."


def test_chapters_begin_at_the_nearest_unsponsored_paragraph() -> None:
    segments = [
        {"text": FIRST, "start": 0},
        {"text": "Do they?", "start_est": 9.0},
        {"text": SECOND},
        {"text": THIRD, "start_est": 30.0},
    ]
    chapters = [
        {"start": 0, "title": "Opener"},
        {"start": 7.5, "title": "Agents"},
        {"start": 20, "title": "Sponsor: Some cloud"},
        {"start": 33, "title": "Prices"},
    ]
    found = read(record(segments=segments, chapters=chapters))
    assert found is not None
    assert found.sections == [6, 15]
    assert read(record(segments=[{"text": FIRST}, {"text": SECOND}], chapters=chapters)) is None


def test_a_talk_of_too_few_sections_says_nothing() -> None:
    assert read(record(segments=[{"text": FIRST, "section": "a"}, {"text": SECOND, "section": "b"}])) is None


def test_cuts_at_the_sections_are_perfect() -> None:
    found = measured([8, 15], talk())
    assert (found["hit"], found["exact"], found["mixed"], found["astray"]) == (1, 1, 0, 0)
    assert (found["broken"], found["pk"], found["windowdiff"]) == (0, 0, 0)
    assert (found["chunks"], found["words"]) == (3, 23 / 3)


def test_cuts_elsewhere_are_measured_as_what_they_are() -> None:
    near = measured([6, 17], talk())  # a sentence away each
    assert (near["hit"], near["exact"], near["broken"]) == (1, 0, 0)
    assert near["mixed"] == pytest.approx(1 / 3)
    assert near["astray"] == pytest.approx((2 + 2) / 23)
    inside = measured([10], talk())  # within the sentence after the first boundary
    assert (inside["hit"], inside["broken"]) == (0.5, 1)
    none = measured([], talk())
    assert (none["hit"], none["mixed"], none["astray"], none["broken"]) == (0, 1, 15 / 23, 0)


def test_sentences_and_turns_are_packed_up_to_the_limit() -> None:
    splitter: Any = Counting()
    assert packed(splitter, turns=False)(talk()) == [8, 17]
    two = Talk("t", ["word"] * 10, (), [4], [4, 6, 10], [])
    assert (packed(splitter, turns=False)(two), packed(splitter, turns=True)(two)) == ([6], [4])
    assert packed(splitter, turns=True, enough=6)(talk()) == [6, 15]
    long = Talk("t", ["word"] * 25, (), [], [25], [])
    assert packed(splitter, turns=True)(long) == packed(splitter, turns=False)(long) == [9, 18]


def test_fixed_chunks_are_as_many() -> None:
    assert fixed([8, 15], talk()) == [8, 15]  # by chance: 23 words in three
    found = compared(lambda _: [6, 8, 15], [talk()] * 5, np.random.default_rng(1))
    assert found["own"]["chunks"] == found["fixed"]["chunks"] == 4
    assert found["own"]["exact"] == 1 > found["fixed"]["exact"]
    low, high = found["difference_95"]["exact"]
    assert low == high == found["own"]["exact"] - found["fixed"]["exact"]


def test_more_and_misplaced_boundaries_cost() -> None:
    truth = "0001000100010000"
    assert windowdiff(truth, truth, 3) == pk(truth, truth, 3) == 0
    assert 0 < windowdiff(truth, "0010000100010000", 3) < windowdiff(truth, "1" * 16, 3) == 1
    assert pk(truth, "0010000100010000", 3) < pk(truth, "0" * 16, 3)


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
    assert "cannot measure: there is nothing to measure with: talks/optech_podcast.jsonl.gz" in answer.stderr
    assert "GROUNDSWELL_TEST_DATA" in answer.stderr


def test_a_run_measures_every_method(tmp_path: Path) -> None:
    (tmp_path / "talks").mkdir()
    chaptered = [{"text": text, "start": second} for second, text in enumerate((FIRST, SECOND, THIRD) * 2)]
    chapters = [{"start": second, "title": f"Chapter {second}"} for second in (0, 2, 4)]
    for names, made in (
        (("optech_podcast",), record()),
        (splitting.CORPORA["chapters"], record(segments=chaptered, chapters=chapters)),
    ):
        for name in names:
            path = tmp_path / "talks" / f"{name}.jsonl.gz"
            path.write_bytes(gzip.compress(f"{json.dumps(made)}\n".encode() * 3))
    out = tmp_path / "out.json"
    answer = subprocess.run(
        [sys.executable, str(PROGRAM), "--limit", "2", "--out", str(out)],
        env=os.environ | {"GROUNDSWELL_TEST_DATA": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert answer.returncode == 0, answer.stderr
    report = json.loads(out.read_text())
    assert report["talks"] == {"headings": 2, "chapters": 6}
    assert report["sections"] == {"headings": 6, "chapters": 18}
    assert set(report["results"]["headings"]) >= {"ours", "sentences packed", "turns packed"}
    assert report["results"]["headings"]["ours"]["own"]["mixed"] == 1  # all of it is one chunk
