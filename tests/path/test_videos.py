"""A talk is put right while the study runs, while it does not, and after its broker forgot everything."""

from __future__ import annotations

from tests.processes import TALKS, Study, until

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
