"""A stream replays identically in another process with any hash seed, and importing the package is cheap.

Separate from the unit tests of `models.topics`, as each test starts two processes that import everything.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import GIVE_UP_S

ROOT = Path(__file__).parents[2]
TOPICS = ROOT / "tests" / "unit" / "topics"

STREAM = """
import hashlib, json, sys
sys.modules["sentence_transformers"] = sys.modules["transformers"] = None  # saves BERTopic's import of them
import models.topics
heavy = sorted({"bertopic", "river", "sklearn", "torch", "umap"} & set(sys.modules))
from made_up_talks import model, talk
topics = model("bread", "ships", "trains")
said = ["bread", "bees", "glass", "bees", "glass", "", "ships", "trains"]
outcomes = [topics.learn(talk(number, said[number % 3:])) for number in range(12)]
print(json.dumps({
    "imported with the package": heavy,
    "imported with BERTopic": sorted({"umap", "pynndescent"} & set(sys.modules)),
    "topics": len(topics.topics()),
    "outcomes": hashlib.sha256(repr(outcomes).encode()).hexdigest(),
    "snapshot": hashlib.sha256(models.topics.dump(topics.to_snapshot())).hexdigest(),
}))
"""
BURSTS = """
import hashlib, json
from test_bursts import *
channel = TermBursts(BurstSettings())
found = hear(channel, [*ordinary(110), *news(110, 10, RAG)], Background(np.zeros(DIMENSION), 1.0))
state = dump(Snapshot(channel.to_arrays(), {"format": FORMAT, "bursts": channel.to_json()}))
print(json.dumps({
    "found": [[b.subject, *b.terms, *b.paragraph_ids] for b in found],
    "state": hashlib.sha256(state).hexdigest(),
}))
"""


def both(program: str) -> list[dict[str, object]]:
    """Return a program's JSON output from two concurrent processes with different hash seeds."""
    path = os.pathsep.join([str(ROOT), str(TOPICS)])
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": path},
            stdout=subprocess.PIPE,
        )
        for seed in ("1", "4711")
    ]
    return [json.loads(process.communicate(timeout=GIVE_UP_S)[0]) for process in processes]


@pytest.mark.long
def test_two_processes_with_different_hash_seeds_learn_the_same() -> None:
    first, second = both(STREAM)
    assert first == second
    assert first["topics"] == 5
    assert first["imported with the package"] == []
    assert first["imported with BERTopic"] == []


@pytest.mark.long
def test_two_processes_with_different_hash_seeds_hear_the_same() -> None:
    first, second = both(BURSTS)
    assert first == second
    assert "marzipan" in str(first["found"]).lower()
