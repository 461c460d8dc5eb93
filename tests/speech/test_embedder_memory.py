"""Texts of many lengths take little memory: torch keeps the code of few shapes of matrices."""

import json
import os
import platform
import subprocess
import sys

import pytest

from models.bundled_models import PackagedModels
from models.embedding.embedder import has_bfloat16
from tests.processes import ROOT

MEASURE = """
import ctypes, json, sys
from models.embedding.embedder import Embedder

NAMES = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"


class Held(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in NAMES.split()]


library = ctypes.CDLL(None)
library.mallinfo2.restype = Held


def held():
    now = library.mallinfo2()
    return now.uordblks + now.hblkhd


embedder = Embedder(sys.argv[1], device="cpu", threads=1, max_tokens=256)
vectors = [embedder.embed(["one"]).tolist()]
before = held()
vectors += [embedder.embed(["word " * words]).tolist() for words in range(1, 129, 2)]
print(json.dumps([held() - before, vectors]))
"""


@pytest.mark.long
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc says how much memory is held")
def test_many_lengths_take_less_memory_and_embed_the_same(packaged_models: PackagedModels) -> None:
    if not has_bfloat16("cpu"):
        pytest.skip("this CPU multiplies in float32, for which torch keeps no code")

    def measured(**environment: str) -> tuple[int, list[list[float]]]:
        command = [sys.executable, "-c", MEASURE, str(packaged_models.embedding)]
        own = {name: value for name, value in os.environ.items() if not name.startswith("ONEDNN_")}
        answer = subprocess.run(
            command,
            env=own | {"OMP_NUM_THREADS": "1"} | environment,
            cwd=ROOT,
            capture_output=True,
            check=True,
        )
        grown, vectors = json.loads(answer.stdout)
        return grown, vectors

    ours, same = measured()
    torchs, expected = measured(ONEDNN_PRIMITIVE_CACHE_CAPACITY="1024")
    assert same == expected
    assert ours < 0.7 * torchs, f"{ours / 1e6:.0f} MB, and {torchs / 1e6:.0f} MB as torch has it"
