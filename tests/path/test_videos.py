"""A talk is corrected while the study runs, while it does not, and after its broker lost everything."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.processes import TALKS, Study, until

pytestmark = pytest.mark.long

FEW = sorted(TALKS.glob("*.json"))[:4]


def test_a_correction_reaches_a_running_study_and_outlives_it(study: Study) -> None:
    process = study.run()
    assert study.cli("ingest", *map(str, FEW)).returncode == 0
    study.until_done(4)
    one, other = [row["video_id"] for row in study.ask("videos", "list")][:2]

    said = study.cli("videos", "withdraw", one, "--reason", "told twice", "--author", "ann")
    assert said.returncode == 0, said.stderr
    assert f"withdrawn: {one}" in said.stderr
    until(lambda: study.ask("videos", "show", one)["withdrawn"])
    again = study.cli("videos", "withdraw", one, "--reason", "sure")
    assert "withdrawn already" in again.stderr
    assert study.cli("videos", "show", "nobody").returncode == 2
    assert process.stop() == 0

    # Nobody runs: the command writes what it says.
    redated = study.cli("videos", "redate", other, "2021-07-01", "--reason", "the upload came later")
    assert redated.returncode == 0, redated.stderr
    assert study.ask("videos", "show", other)["published_on"] == "2021-07-01"
    assert "2021-07" in {row["month"] for row in study.ask("prevalence")}

    # The broker has forgotten; the same talks come again, and what was corrected holds.
    process = study.run()
    assert study.cli("ingest", *map(str, FEW)).returncode == 0
    study.until_done(4)
    assert study.ask("videos", "show", one)["withdrawn"]
    assert study.ask("videos", "show", other)["published_on"] == "2021-07-01"
    assert [row["what"] for row in study.ask("videos", "corrections")] == ["redated", "withdrawn"]
    assert process.stop() == 0


def posted(folder: Path, video_id: str, day: str, paths: list[Path]) -> Path:
    """Write these sample talks, one after the other, as one long talk of its own."""
    talks = [json.loads(path.read_text()) for path in paths]
    segments: list[dict[str, object]] = []
    began = 0.0
    for talk in talks:
        segments += [
            each | {"start": each["start"] + began, "end": each["end"] + began} for each in talk["segments"]
        ]
        began += talk["duration_s"]
    about = talks[0] | {"id": video_id, "title": f"An hour of {video_id}", "published_at": f"{day}T12:00:00Z"}
    file = folder / f"{video_id}.json"
    file.write_text(json.dumps(about | {"duration_s": began, "segments": segments}))
    return file


def test_a_kept_cross_post_counts_also_after_a_rebuild(study: Study, tmp_path: Path) -> None:
    paths = sorted(TALKS.glob("*.json"))
    hour, copy, other = (
        posted(tmp_path, "hour", "2024-02-01", paths[:4]),
        posted(tmp_path, "copy", "2024-02-20", paths[:4]),
        posted(tmp_path, "other", "2024-03-01", paths[4:8]),
    )
    process = study.run()
    for number, file in enumerate((hour, copy, other), 1):
        assert study.cli("ingest", str(file)).returncode == 0
        study.until_done(number)
    assert study.api("status")["states"] == {"rejected": 1, "assigned": 2}
    said = study.ask("videos", "show", "copy")
    assert said["screening"]["rule"] == "duplicate"
    assert said["screening"]["reason"].startswith("it repeats what hour said: ")
    refused = study.cli("videos", "keep", "other", "--reason", "r")
    assert refused.returncode == 2
    assert "not rejected as a duplicate" in " ".join(refused.stderr.split())

    kept = study.cli("videos", "keep", "copy", "--reason", "another audience", "--author", "ann")
    assert kept.returncode == 0, kept.stderr
    until(lambda: study.api("status")["states"] == {"assigned": 3})
    assert process.stop() == 0

    assert study.ask("rebuild")["talks"] == 3
    process = study.run()
    until(lambda: study.api("status")["epoch"] == 1 and not study.api("status")["relearning"])
    assert study.api("status")["states"] == {"assigned": 3}
    assert process.stop() == 0
