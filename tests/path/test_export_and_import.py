"""groundswell export and import: a study leaves one database and comes to life in another."""

import json
import re
import shutil
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from streams.settings import Settings
from streams.store.warehouse import Warehouse
from tests.processes import Study, until
from tests.web.studies import small

pytestmark = pytest.mark.long

VIEWS = ("topics", "themes", "prevalence", "cooccurrence", "videos list", "codebook show")


@pytest.fixture
def filled(study: Study) -> Study:
    with Warehouse(Settings(home=study.home, study=study.name)) as warehouse:
        warehouse.migrate()
        small(warehouse)
    return study


def other(study: Study, *command: str) -> CompletedProcess[str]:
    return study.cli("--study", "other", *command)


def test_an_exported_study_says_the_same_when_imported(filled: Study) -> None:
    folder = filled.home / "package"
    exported = filled.cli("export", "package", "--with-text", "--json", GROUNDSWELL_HF_TOKEN="hf_secret")
    assert exported.returncode == 0, exported.stderr
    about = json.loads(exported.stdout)
    assert about == json.loads((folder / "package.json").read_text())
    assert about["software"]["groundswell"]
    assert "embedding_model" in about["settings"]
    assert "hf_secret" not in (folder / "package.json").read_text()
    for table, rows in about["rows"].items():
        assert f"{table}: {rows:,} rows" in exported.stderr

    imported = other(filled, "import", "package")
    assert imported.returncode == 0, imported.stderr
    assert imported.stdout == ""
    assert f"study 'other' has the data of study 'test' of {about['made_at'][:10]}" in imported.stderr
    assert "numbers will differ" not in imported.stderr
    for view in VIEWS:
        told = filled.cli(*view.split(), "--json")
        assert told.returncode == 0, told.stderr
        assert len(json.loads(told.stdout)) > 0
        assert other(filled, *view.split(), "--json").stdout == told.stdout, view

    again = other(filled, "import", str(folder))
    assert (again.returncode, again.stdout) == (2, "")
    assert "study 'other' already has" in again.stderr
    assert "cure: name a new study: groundswell --study NAME import FOLDER" in again.stderr


OF_ITS_OWN = (r"(?<=<title>)\w+(?=: )", r"(?<=study <b>)\w+(?=</b>)", r"(?<=Made on <time>)[^<]+")
"""Where a report names its study, and the moment at which it was made."""


def test_the_report_of_the_copy_is_the_report_of_the_study(filled: Study, tmp_path: Path) -> None:
    """Byte by byte, drawings too, except where it names the study and when it was made.

    Work that failed stays with the study that can do it again, so a copy's report does not speak of it.
    """
    assert filled.cli("export", "package", "--with-text").returncode == 0
    assert other(filled, "import", "package").returncode == 0
    selected = ("--from", "2025-01", "--to", "2025-12")
    for options in ((), selected):
        reports = []
        for study in (filled.cli, lambda *command: other(filled, *command)):
            folder = tmp_path / f"report-{len(options)}-{len(reports)}"
            made = study("report", *options, "--out", str(folder))
            assert made.returncode == 0, made.stderr
            reports.append({str(path.relative_to(folder)): path.read_bytes() for path in _files(folder)})
        one, copy = reports
        assert one.keys() == copy.keys()
        pages = [_unnamed(report.pop("report.html").decode()) for report in reports]
        (failed,) = re.findall(r"<li>[^<]*could not be processed and wait for a decision.*</li>", pages[0])
        assert pages[0].replace(failed, "") == pages[1]
        assert len(pages[0]) > 10_000
        assert one == copy  # figures: SVG and PNG
        assert {Path(name).suffix for name in one} == {".svg", ".png"}


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _unnamed(page: str) -> str:
    for pattern in OF_ITS_OWN:
        page, found = re.subn(pattern, "…", page)
        assert found == 1, pattern
    return page


def test_a_damaged_package_is_a_failure_that_names_the_file(filled: Study, tmp_path: Path) -> None:
    folder = tmp_path / "package"
    exported = filled.cli("export", str(folder), "--format", "csv")
    assert exported.returncode == 0, exported.stderr
    assert "without text (--with-text includes it)" in exported.stderr
    (folder / "topics.csv").write_text("")
    refused = other(filled, "import", str(folder))
    assert refused.returncode == 1
    assert "error: topics.csv has changed since the package was made" in refused.stderr
    assert "nothing was changed" in refused.stderr
    shutil.rmtree(folder)
    refused = other(filled, "import", str(folder))
    assert refused.returncode == 1
    assert "is not a package" in refused.stderr


def test_a_running_study_has_to_be_stopped_first(filled: Study, tmp_path: Path) -> None:
    process = filled.start("web")
    running = filled.home / "studies" / filled.name / "running.json"
    until(running.exists)
    for command in ("export", "import"):
        refused = filled.cli(command, str(tmp_path / "package"))
        assert refused.returncode == 2, refused.stderr
        assert f"study 'test' is running (pid {process.popen.pid})" in refused.stderr
        assert "cure: stop it with groundswell --study test stop" in refused.stderr
    assert not (tmp_path / "package").exists()
    assert filled.cli("--study", filled.name, "stop").returncode == 0
    assert filled.cli("export", str(tmp_path / "package")).returncode == 0


def test_an_export_has_to_go_somewhere(study: Study) -> None:
    nowhere = study.cli("export")
    assert nowhere.returncode == 2
    assert "FOLDER for the data, --bertopic FOLDER for the topic model" in nowhere.stderr
    empty = study.cli("export", "package")
    assert empty.returncode == 1
    assert "study 'test' has no talks" in empty.stderr
