"""The topic model's benchmarks run, and find the subject planted in the sample talks."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import GIVE_UP_S, ROOT, TALKS

pytestmark = pytest.mark.long
READ_A_STREAM = (
    "quality",
    "survival",
    "shares",
    "onsets",
    "planted",
    "asr",
    "drift",
    "changes",
    "boilerplate",
    "transcripts",
    "names",
)
ONE_AFTER_ANOTHER = """
import contextlib, io, json, runpy, sys
folder, stream, *programs = sys.argv[1:]
sys.path.insert(0, folder)
ended = []
for program in programs:
    sys.argv, said, code = [program, "--stream", stream], io.StringIO(), 0
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            runpy.run_path(program, run_name="__main__")
        except SystemExit as end:
            code = end.code
    ended.append((code, said.getvalue()))
print(json.dumps(ended))
"""
"""Programs in one process, which imports what they share once."""


def test_only_the_planted_subject_is_found_in_the_sample_talks(
    tmp_path: Path,
) -> None:
    stream, out, page = tmp_path / "talks.jsonl", tmp_path / "found.json", tmp_path / "found.html"
    talks = (json.loads(file.read_text()) for file in sorted(TALKS.glob("*.json")))
    stream.write_text("\n".join(json.dumps({"id": file_id, **talk}) for file_id, talk in enumerate(talks)))
    command = [sys.executable, ROOT / "benchmarks/topics/transcripts.py", "--stream", stream]
    command += ["--codebook", "llm-in-production", "--out", out, "--page", page]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=GIVE_UP_S, check=False)
    assert ran.returncode == 0, ran.stderr
    found = json.loads(out.read_text())
    (news,) = found["emergences"]
    assert news["subject"] == "Model Context Protocol (MCP)"
    assert [topic["label"] for topic in found["topics"] if topic["origin"] == "born"] == ["MCP server"]
    assert news["subject"] in page.read_text()


def test_a_stream_that_is_none_is_refused_in_one_line(tmp_path: Path) -> None:
    stream = tmp_path / "stream.jsonl"
    stream.write_text('{"text": "a text without a day"}\n')
    folder = ROOT / "benchmarks" / "topics"
    programs = [str(folder / f"{name}.py") for name in READ_A_STREAM]
    command = [sys.executable, "-c", ONE_AFTER_ANOTHER, str(folder), str(stream), *programs]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=GIVE_UP_S, check=False)
    assert ran.returncode == 0, ran.stderr  # an error that is not caught ends the process
    ended = json.loads(ran.stdout.splitlines()[-1])
    assert len(ended) == len(READ_A_STREAM)
    for name, (code, said) in zip(READ_A_STREAM, ended, strict=True):
        assert code not in (None, 0), name
        # An exit with a text is what the interpreter would print.
        assert "line 1 of stream.jsonl is not a record of a stream" in f"{said}{code}", name
