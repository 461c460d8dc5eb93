"""The benchmark of the whole path runs on talks of any file and reports what it promises."""

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

from models.bundled_models import prepare
from tests.processes import GIVE_UP_S, ROOT, TALKS, Study

pytestmark = pytest.mark.long


def test_three_talks_are_measured_and_reported(study: Study, tmp_path: Path) -> None:
    records = [json.loads(path.read_text()) for path in sorted(TALKS.glob("*.json"))[:4]]
    records[1]["dup_of"] = records[0]["id"]
    talks, out = tmp_path / "talks.jsonl", tmp_path / "report.json"
    talks.write_text("".join(f"{json.dumps(record)}\n" for record in records))
    measured = subprocess.run(
        [
            *(sys.executable, str(ROOT / "benchmarks" / "pipeline.py")),
            *("--talks", str(talks), "--count", "3", "--out", str(out)),
        ],
        # The model is assembled already: a new home would do that first.
        env=study.env(GROUNDSWELL_EMBEDDING_MODEL=str(prepare(study.home / "models").embedding)),
        capture_output=True,
        text=True,
        check=False,
        timeout=GIVE_UP_S,
    )
    assert measured.returncode == 0, measured.stderr
    text = out.read_text()
    assert str(tmp_path) not in text and str(ROOT) not in text
    report = json.loads(text)
    assert (report["talks"], report["assigned"], report["rejected"], report["dead_letters"]) == (3, 3, 0, 0)
    said = [segment["text"] for index in (0, 2, 3) for segment in records[index]["segments"]]
    assert report["words"] == sum(len(words.split()) for words in said)
    assert report["paragraphs"] >= 3
    assert report["file"] == "talks.jsonl"
    assert math.isfinite(report["ratio"]) and report["ratio"] > 1
    assert report["ratio"] == round(report["wall_s"] / report["embedding_s"], 4)
    for key in ("startup_s", "paragraphs_per_s", "embedding_s", "cpu_ratio", "peak_memory_mb"):
        assert report[key] > 0, key
    assert {"screen", "fetch", "transcribe", "split", "track", "store"} <= {
        name for name, stage in report["stages"].items() if stage["events"] >= 3 and stage["handling_s"] >= 0
    }
    assert report["stages"]["split"]["handling_s"] > 0
    assert set(report["phases"]) == {"whole", "embedding"}
    assert set(report["machine"]) >= {"cpu", "cores", "memory_gb", "os", "python", "libraries", "revision"}
    assert "OF WALL TIME" in measured.stderr and "ratio" in measured.stderr


def test_the_read_functions_are_timed_on_a_made_up_study(tmp_path: Path) -> None:
    out = tmp_path / "warehouse.json"
    command = [sys.executable, str(ROOT / "benchmarks" / "warehouse.py"), "--assignments", "12000"]
    measured = subprocess.run(
        [*command, "--calls", "2", "--out", str(out)],
        capture_output=True,
        text=True,
        check=False,
        timeout=GIVE_UP_S,
    )
    assert measured.returncode == 0, measured.stderr
    (size,) = json.loads(out.read_text())["sizes"]
    assert (size["assignments"], size["talks"], size["counted"]) == (12_000, 500, 500)
    assert {"prevalence", "themes", "topics", "cooccurrence", "quotes"} <= set(size["views"])
    assert all(0 < times["p50_ms"] <= times["p95_ms"] for times in size["views"].values())
    assert size["insert_paragraphs_per_s"] > 0
    for ways in size["other_ways"].values():
        assert {"ours_ms", "bitmaps_ms"} <= set(ways)


def test_embedding_is_compared_with_plain_transformers(tmp_path: Path) -> None:
    said = " ".join(f"In week {week} we measured what a better prompt changes." for week in range(40))
    record = {"id": "t", "published_at": "2024-01-05", "segments": [{"start": 0, "end": 400, "text": said}]}
    talks, out = tmp_path / "talks.jsonl", tmp_path / "embedding.json"
    talks.write_text(json.dumps(record) + "\n")
    command = [sys.executable, str(ROOT / "benchmarks" / "embedding.py"), "--talks", str(talks)]
    measured = subprocess.run(
        [*command, "--quick", "--out", str(out)],
        capture_output=True,
        text=True,
        check=False,
        timeout=GIVE_UP_S,
    )
    assert measured.returncode == 0, measured.stderr
    report = json.loads(out.read_text())
    assert report["paragraphs"] >= 2
    assert report["tokens"]["most"] <= 300 < report["tokens"]["most"] + 20
    assert 0 < report["cut"]["share"] < 1
    systems = report["systems"]
    assert systems["ours"]["smallest"] >= 0.999
    assert systems["cut"]["smallest"] < 0.9999  # the end of a paragraph says something
    assert ("bfloat16" in systems) != report["bfloat16"]
    assert ("has no bfloat16" in measured.stdout) != report["bfloat16"]
    assert "smallest cosine" in measured.stdout and ": met" in measured.stdout
