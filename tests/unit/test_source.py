"""Folders and hub names of models, and what they are called in file names."""

from pathlib import Path

import pytest

from models.errors import ModelUnavailable
from models.loading.model_locator import label, locate


def folder_with(path: Path, content: bytes) -> Path:
    path.mkdir(parents=True)
    (path / "model.bin").write_bytes(content)
    return path


@pytest.mark.parametrize("name", ["large-v3-turbo", "pyannote/speaker-diarization-community-1"])
def test_a_hub_name_stays_a_name(name: str) -> None:
    assert locate(name) == name
    assert label(name) == name.replace("/", "-")


def test_a_folder_is_found_however_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = folder_with(tmp_path / "whisper", b"weights")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert {locate(each) for each in (folder, str(folder), "whisper", "./whisper", "~/whisper")} == {folder}


@pytest.mark.parametrize("missing", [Path("whisper"), "/no/such/folder", "./whisper", "~/whisper"])
def test_a_missing_folder_is_never_looked_up_on_the_hub(
    missing: Path | str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(ModelUnavailable, match="no model folder"):
        locate(missing)


def test_the_label_of_a_folder_follows_its_content_not_its_place(tmp_path: Path) -> None:
    base = label(folder_with(tmp_path / "a" / "my whisper", b"weights"))
    assert base == label(folder_with(tmp_path / "b" / "my whisper", b"weights"))
    assert base != label(folder_with(tmp_path / "c" / "my whisper", b"Weights"))
    assert base.startswith("my-whisper-")
    assert len(base) == len("my-whisper-") + 8
