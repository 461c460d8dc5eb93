"""pyannote.audio is imported without what it does not use; a torchmetrics built otherwise fails here."""

import json
import subprocess
import sys

import pytest

from tests.processes import ROOT

pytestmark = [pytest.mark.speech, pytest.mark.long]


def test_finding_speakers_imports_no_language_models() -> None:
    program = """
import json, sys
from models.loading import pyannote_audio
from torchmetrics.utilities import imports
unset = [name for name in pyannote_audio.OPTIONAL if getattr(imports, name, None) is not False]
print(json.dumps([unset, sorted({name.partition(".")[0] for name in sys.modules})]))
"""
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    unset, imported = json.loads(ended.stdout.splitlines()[-1])
    assert not unset, "torchmetrics has other flags: see models/loading/pyannote_audio.py"
    assert "pyannote" in imported
    assert "torchmetrics" in imported
    assert "transformers" not in imported
