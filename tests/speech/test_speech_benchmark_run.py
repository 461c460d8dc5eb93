"""The speech benchmark with the real models, on a telephone call of half a minute."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import speech
from benchmarks.speech_systems import BARE, OURS
from tests.processes import GIVE_UP_S

pytestmark = [pytest.mark.speech, pytest.mark.long]


def test_a_run_measures_both_systems_with_the_real_models(tmp_path: Path, telephone_call: Path) -> None:
    for suffix in (".wav", ".stm", ".rttm"):
        shutil.copy(telephone_call.with_suffix(suffix), tmp_path / f"talk{suffix}")
    out = tmp_path / "report.json"
    answer = subprocess.run(
        [sys.executable, speech.__file__, "--audio", str(tmp_path), "--threads", "1", "--out", str(out)],
        capture_output=True,
        text=True,
        check=False,
        timeout=GIVE_UP_S,
    )
    assert answer.returncode == 0, answer.stderr
    assert str(tmp_path) not in out.read_text()
    report = json.loads(out.read_text())
    assert set(report["systems"]) == {BARE, OURS}
    for system in report["systems"].values():
        assert 0 < system["wer"] < 0.25
        assert 0 < system["der"] < 0.15
        assert system["wrong_speaker"] <= 0.1
        assert system["peak_mb"] > 300
    assert report["samples"]["talk"][OURS]["speakers"] == 2
    assert report["goals"]["speed"]["value"] > 0
    assert report["gpu"] is None or report["device"] == "cuda"
    assert "goal wrong_speaker:" in answer.stdout
