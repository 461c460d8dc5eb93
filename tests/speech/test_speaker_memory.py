"""Voices of many lengths and freed blocks do not fill the memory of the process that finds speakers."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from models.audio.samples import decode
from models.bundled_models import PackagedModels
from models.loading import malloc
from models.speakers import diarization
from models.speakers.diarization import Diarizer

pytestmark = [pytest.mark.speech, pytest.mark.long]
PROGRAM = """
import json, sys
from pathlib import Path
from models.speakers.diarization import Diarizer
import numpy as np
import torch

def held_mb():
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024 / 1e6

pipeline = Diarizer(sys.argv[1], device="cpu")._loaded()
noise = torch.from_numpy(np.random.default_rng(0).normal(0, 0.05, (1, 1, 160_000)).astype(np.float32))

def embed(frames):
    heard = torch.zeros(1, 589)
    heard[0, :frames] = 1
    pipeline._embedding(noise, masks=heard)

embed(400)
before = held_mb()
for frames in range(100, 400, 6):
    embed(frames)
print(json.dumps(held_mb() - before))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="what a process holds is told by Linux")
def test_voices_of_many_lengths_take_little_memory(packaged_models: PackagedModels) -> None:
    """PyTorch by itself keeps layers prepared for the length of each: 400 MB for these fifty."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ONEDNN")}
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(packaged_models.diarization)],
        capture_output=True,
        text=True,
        check=True,
        env=environment | {"OMP_NUM_THREADS": "1"},
    )
    assert json.loads(ran.stdout.splitlines()[-1]) < 150


def test_freed_memory_is_given_back_during_diarization(
    packaged_models: PackagedModels, telephone_call: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole batches are counted, of both models: 21 windows, three voices each, eight at a time."""
    diarizer, given_back = Diarizer(packaged_models.diarization, device="cpu"), []
    monkeypatch.setattr(malloc, "give_back", lambda: given_back.append(True))
    found = diarizer.diarize(decode(telephone_call))
    assert not given_back, "a short recording needs none of it"
    monkeypatch.setattr(diarization, "TIDIED", 2)
    assert diarizer.diarize(decode(telephone_call)) == found
    assert len(given_back) >= (3 + 8) // 2
