"""A study whose blobs are on object storage, as a cluster keeps them."""

from pathlib import Path

import pytest

from tests.processes import TALKS, Study, tables, until
from tests.s3_server import BUCKET, s3_server

pytestmark = pytest.mark.long


def test_a_killed_study_on_s3_ends_as_one_in_a_folder(tmp_path: Path) -> None:
    talks = [str(path) for path in sorted(TALKS.glob("*.json"))[:8]]
    with s3_server() as variables:
        on_s3 = Study(tmp_path / "s3", "objects", variables | {"GROUNDSWELL_BLOBS": f"s3://{BUCKET}"})
        in_folder = Study(tmp_path / "folder", "objects")
        try:
            for study, killed in ((in_folder, False), (on_s3, True)):
                process = study.run()
                assert study.cli("ingest", *talks).returncode == 0
                if killed:
                    until(lambda study=study: study.api("status")["states"].get("assigned", 0) >= 3, 0.1)
                    process.kill()
                    process = study.run()
                study.until_done(len(talks))
                study.until_settled()
                assert process.stop() == 0
        finally:
            on_s3.end()
            in_folder.end()
    kept = [(study.home / "studies" / "objects" / "blobs").exists() for study in (in_folder, on_s3)]
    assert kept == [True, False]
    # A sighting's moment is that of the handing in, which differs between the two.
    expected, found = (
        {table: rows for table, rows in tables(study.home, "objects") if table != "sightings"}
        for study in (in_folder, on_s3)
    )
    assert found == expected
    assert len(found["progress"]) == len(talks)
