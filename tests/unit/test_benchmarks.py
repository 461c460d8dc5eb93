"""Benchmarks explain themselves, and say what is wrong before they measure."""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.machine import Meter, describe
from benchmarks.talks import default_file, first_talks
from streams.errors import DataError

ROOT = Path(__file__).parents[2]
MODULES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in sorted((ROOT / "benchmarks").rglob("*.py"))
    if path.stem not in {"__init__", "speech_whisperx"}
]


def run(program: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(program), *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def talks(path: Path, *records: object) -> Path:
    content = "".join(f"{json.dumps(record)}\n" for record in records).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def talk(name: str, **more: str) -> dict[str, object]:
    return {"id": name, "segments": [{"text": "We run agents in production."}], **more}


@pytest.mark.long
def test_every_benchmark_can_be_imported() -> None:
    """A name that was moved or renamed in the packages is noticed; whisperX is installed by its benchmark."""
    code = f"import importlib\nfor name in {MODULES!r}:\n    importlib.import_module(name)"
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr[-3000:]


@pytest.mark.parametrize("name", ["talks.jsonl", "talks.jsonl.gz"])
def test_the_first_talks_of_a_file_without_its_duplicates(tmp_path: Path, name: str) -> None:
    path = talks(tmp_path / name, talk("a"), talk("b", dup_of="a"), talk("c"), talk("d"))
    assert [json.loads(line)["id"] for line in first_talks(path, 2)] == ["a", "c"]
    assert len(first_talks(path, 100)) == 3


def test_what_is_no_file_of_talks_is_refused_with_cause_and_cure(tmp_path: Path) -> None:
    (tmp_path / "prose.jsonl").write_text("It was a dark and stormy night.\n")
    (tmp_path / "cut.jsonl.gz").write_bytes(gzip.compress(b"x" * 10_000)[:20])
    (tmp_path / "plain.jsonl.gz").write_text("{}")
    cases = {
        tmp_path / "nowhere.jsonl": "cannot be read",
        tmp_path: "cannot be read",
        tmp_path / "cut.jsonl.gz": "cannot be read",
        tmp_path / "plain.jsonl.gz": "cannot be read",
        tmp_path / "prose.jsonl": "line 1 of prose.jsonl is not a talk",
        talks(tmp_path / "wordless.jsonl", talk("a"), {"id": "b", "segments": []}): "line 2",
        talks(tmp_path / "list.jsonl", [talk("a")]): "line 1",
        talks(tmp_path / "empty.jsonl"): "has no talks",
        talks(tmp_path / "copies.jsonl", talk("b", dup_of="a")): "has no talks",
    }
    for path, cause in cases.items():
        with pytest.raises(DataError, match=cause) as refused:
            first_talks(path, 5)
        assert ".jsonl" in refused.value.cure


def test_without_real_talks_it_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUNDSWELL_TEST_DATA", str(tmp_path))
    with pytest.raises(DataError, match="changelog_practicalai") as missing:
        default_file()
    assert "--talks" in missing.value.cure and "GROUNDSWELL_TEST_DATA" in missing.value.cure


@pytest.mark.parametrize("arguments", [["--talks", "nowhere.jsonl"], ["--out", "nowhere/report.json"]])
def test_a_wrong_file_ends_the_benchmark_before_it_measures(arguments: list[str]) -> None:
    answer = run(ROOT / "benchmarks" / "pipeline.py", *arguments)
    assert answer.returncode == 1
    assert answer.stderr.startswith("error: ") and "\n  cure: " in answer.stderr
    assert answer.stdout == ""


def test_the_machine_description_names_no_place_and_nobody() -> None:
    said = json.dumps(describe())
    assert str(ROOT) not in said and str(Path.home()) not in said
    assert describe()["libraries"]["torch"]


def test_a_meter_sees_the_work_of_the_process_and_its_children() -> None:
    work = "sum(range(10**7)); x = b'x' * 10**8; import time; time.sleep(0.3)"
    with Meter(os.getpid(), sample_s=0.05) as meter:
        subprocess.run([sys.executable, "-c", work], check=True)
    assert 0.05 < meter.cpu_s <= 2 * meter.wall_s + 1
    assert meter.peak_mb > 100
