"""The topic model begins anew: every talk is learned again, and the old model's results stay."""

import shutil
import urllib.request
from pathlib import Path

import pytest

from models.bundled_models import prepare
from tests.processes import TALKS, Study, tables, until

pytestmark = pytest.mark.long

FEW = sorted(TALKS.glob("*.json"))[:5]


def test_a_rebuild_relearns_in_order_and_keeps_what_was_said(study: Study) -> None:
    process = study.run()
    assert study.cli("ingest", *map(str, FEW)).returncode == 0
    study.until_done(len(FEW))
    refused = study.cli("rebuild")
    assert refused.returncode == 2
    assert "groundswell stop" in refused.stderr

    asked = study.cli("topics", "consolidate")
    assert asked.returncode == 0, asked.stderr
    until(lambda: bool(study.api("genealogy")))
    assert study.api("genealogy")[-1]["what"] in ("consolidated", "rejected")
    assert process.stop() == 0
    before = dict(tables(study.home, study.name))
    model = study.home / "studies" / study.name / "blobs" / "model"
    checkpoints = {path: path.read_bytes() for path in model.glob("checkpoints/0000/*.npz")}
    assert checkpoints

    begun = study.ask("rebuild")
    assert (begun["epoch"], begun["talks"]) == (1, len(FEW))
    process = study.run()
    until(lambda: study.api("status")["epoch"] == 1 and not study.api("status")["relearning"])
    assert study.api("status")["states"] == {"assigned": len(FEW)}
    assert sum(topic["videos"] > 0 for topic in study.api("topics"))
    with urllib.request.urlopen(f"{study.url}/history", timeout=30) as page:
        assert "What the last rebuild changed" in page.read().decode()
    assert process.stop() == 0

    after = dict(tables(study.home, study.name))
    for table in ("paragraphs", "transcripts", "videos"):
        assert after[table] == before[table], table
    states = [sorted(row[:2] for row in held["progress"]) for held in (before, after)]
    assert states[0] == states[1]  # only the rank is another one: the new epoch says so now
    assert {path: path.read_bytes() for path in checkpoints} == checkpoints
    old = [row for row in after["assignments"] if not row[0].endswith("-e1")]
    new = [row for row in after["assignments"] if row[0].endswith("-e1")]
    assert old == before["assignments"]
    # The same talks in the same order, so the same numbers and topics under another version.
    assert [row[1:6] for row in new] == [row[1:6] for row in old]

    process = study.run()  # nothing is left to do
    assert study.api("status")["relearning"] == 0
    assert process.stop() == 0
    assert dict(tables(study.home, study.name)) == after


def test_a_study_that_was_embedded_otherwise_is_taken_over(study: Study, tmp_path: Path) -> None:
    """The same weights under another name are another model; an upgrade changes the version as well."""
    earlier = shutil.copytree(prepare(study.home / "models").embedding, tmp_path / "an-earlier-model")
    study.environment["GROUNDSWELL_EMBEDDING_MODEL"] = str(earlier)
    process = study.run()
    assert study.cli("ingest", *map(str, FEW)).returncode == 0
    study.until_done(len(FEW))
    renamed = study.cli("codebook", "rename", "2", "Agents at work")
    assert renamed.returncode == 0, renamed.stderr
    assert process.stop() == 0
    before = dict(tables(study.home, study.name))

    del study.environment["GROUNDSWELL_EMBEDDING_MODEL"]
    refused = study.start("run")
    until(lambda: not refused.alive)
    assert refused.popen.returncode != 0
    said = refused.said()
    assert "an-earlier-model-" in said and "all-MiniLM-L6-v2-" in said and "groundswell rebuild" in said

    assert study.ask("rebuild")["talks"] == len(FEW)
    process = study.run()
    until(lambda: study.api("status")["epoch"] == 1 and not study.api("status")["relearning"])
    assert study.api("status")["states"] == {"assigned": len(FEW)}
    assert study.api("status")["dead_letters"] == 0
    carried = study.cli("codebook", "carry-over")
    assert carried.returncode == 0, carried.stderr
    until(lambda: {topic["topic_id"]: topic["name"] for topic in study.api("topics")}[2] == "Agents at work")
    assert process.stop() == 0
    after = dict(tables(study.home, study.name))
    assert after["paragraphs"] == before["paragraphs"]
    assert {row[0].endswith("-e1") for row in after["assignments"]} == {True, False}
