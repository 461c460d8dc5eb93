"""A stream replays in another process, whatever its hash seed, and importing the package is cheap."""

import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[2]

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


def test_two_processes_with_different_hash_seeds_learn_the_same() -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", STREAM],
            env={
                **os.environ,
                "PYTHONHASHSEED": seed,
                "PYTHONPATH": os.pathsep.join([str(REPOSITORY), str(HERE)]),
            },
            stdout=subprocess.PIPE,
        )
        for seed in ("1", "4711")
    ]
    first, second = (json.loads(process.communicate(timeout=120)[0]) for process in processes)
    assert first == second
    assert first["topics"] == 5
    assert first["imported with the package"] == []
    assert first["imported with BERTopic"] == []
