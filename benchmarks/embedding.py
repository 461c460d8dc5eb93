"""Embedding of paragraphs: Groundswell against plain sentence-transformers, in one run.

python benchmarks/embedding.py [--talks FILE] [--paragraphs N] [--quick] [--out FILE.json]

The paragraphs are those of the first talks of a file. All systems embed the same ones, with the same model
and number of threads, by turns; the best of three rounds counts.

- plain: sentence-transformers in float32, with the same maximum length and its own number of texts in a batch
  (32): what the others are compared with;
- ours: as Groundswell embeds on this machine, in bfloat16 where the processor or GPU computes with it;
- bfloat16: where it does not, what bfloat16 would give, on few paragraphs: it is emulated there, so slow that
  its speed says nothing;
- batch of N: plain with other numbers of texts in a batch (not with --quick);
- cut: sentence-transformers as the packaged model is configured, which reads 256 tokens.

`speed`: paragraphs a second, and `CPU`: paragraphs a second of processor time, each as a multiple of plain's.
Other programs disturb the second less; on a GPU only the first says something. `smallest`, `mean`: cosine
with plain's embeddings. Goals: a smallest cosine of .999, and on a CPU with bfloat16 1.7 times plain's speed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

from benchmarks.machine import describe
from benchmarks.talks import default_file
from benchmarks.topics import streams
from models.bundled_models import prepare
from models.embedding.embedder import Embedder, has_bfloat16
from streams.errors import Explained

PARAGRAPHS, QUICK = 512, 64
EMULATED = 32
"""Paragraphs that are embedded in bfloat16 on a machine without it."""
ROUNDS = 3
BATCH, OTHERS = 32, (8, 16)
"""Texts in a batch of sentence-transformers unless told otherwise, and other numbers."""
LEAST_COSINE, LEAST_SPEED = 0.999, 1.7

Vectors = NDArray[np.float32]
Embed = Callable[[list[str]], Vectors]


@dataclass(frozen=True, slots=True)
class Timed:
    """Embeddings, and the seconds that they took."""

    vectors: Vectors
    wall_s: float
    cpu_s: float

    def with_least_of(self, other: Timed) -> Timed:
        """Return these embeddings with the smaller of each time."""
        return Timed(self.vectors, min(self.wall_s, other.wall_s), min(self.cpu_s, other.cpu_s))


def paragraphs_of(path: Path, count: int) -> list[str]:
    """Return the paragraphs of the first talks of a file, at most `count`."""
    talks = 1
    while True:
        videos = streams.read(path, talks)
        texts = [text for video in videos for text in video.texts]
        if len(texts) >= count or len(videos) < talks:
            return texts[:count]
        talks *= 4


def packaged() -> Path:
    """Return the folder of the packaged model."""
    return Path(prepare(streams.cache_folder() / "models").embedding)


def plain(device: str, max_tokens: int | None = None) -> Any:
    """Return sentence-transformers with the packaged model; its own maximum length if none is given."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(packaged()), device=device)
    if max_tokens is not None:
        model.max_seq_length = max_tokens
    return model


def encode(model: Any, texts: list[str], batch: int = BATCH) -> Vectors:
    """Return the embeddings of sentence-transformers: float32 [n, d] of unit length."""
    found: Vectors = model.encode(texts, batch_size=batch, normalize_embeddings=True, show_progress_bar=False)
    return found


def timed(systems: Mapping[str, Embed], texts: list[str], rounds: int) -> dict[str, Timed]:
    """Return what each system gives and takes, by turns; the least time of all rounds."""
    found: dict[str, Timed] = {}
    for embed in systems.values():
        embed(texts[:2])  # loads and warms up
    for _ in range(rounds):
        for name, embed in systems.items():
            wall, cpu = time.perf_counter(), time.process_time()
            vectors = embed(texts)
            each = Timed(vectors, time.perf_counter() - wall, time.process_time() - cpu)
            found[name] = each.with_least_of(found.get(name, each))
    return found


def exactness(vectors: Vectors, exact: Vectors) -> dict[str, float]:
    """Return the smallest and the mean cosine between rows."""
    cosines = (vectors.astype(np.float64) * exact).sum(axis=1)
    return {"smallest": float(cosines.min()), "mean": float(cosines.mean())}


def compared(found: Mapping[str, Timed]) -> dict[str, dict[str, float]]:
    """Return the speed and exactness of each system beside plain's."""
    beside = found["plain"]
    return {
        name: {"speed": beside.wall_s / each.wall_s, "cpu": beside.cpu_s / each.cpu_s}
        | exactness(each.vectors, beside.vectors)
        for name, each in found.items()
    }


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return every figure."""
    import torch

    path = arguments.talks or default_file()
    texts = paragraphs_of(path, arguments.paragraphs or (QUICK if arguments.quick else PARAGRAPHS))
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    whole, cutting = plain(device, streams.MAX_TOKENS), plain(device)
    ours = Embedder(packaged(), device, max_tokens=streams.MAX_TOKENS)
    systems: dict[str, Embed] = {"plain": partial(encode, whole), "ours": ours.embed}
    if not arguments.quick:
        systems |= {f"batch of {size}": partial(encode, whole, batch=size) for size in OTHERS}
    found = timed(systems, texts, 1 if arguments.quick else ROUNDS)
    table = compared(found)
    native = has_bfloat16(device)
    if not native:
        rounded = Embedder(packaged(), device, max_tokens=streams.MAX_TOKENS, precision="bfloat16")
        both: dict[str, Embed] = {"plain": partial(encode, whole), "bfloat16": rounded.embed}
        table["bfloat16"] = compared(timed(both, texts[:EMULATED], 1))["bfloat16"]
    lengths = np.array([len(ids) for ids in whole.tokenizer(texts, truncation=False)["input_ids"]])
    long = np.flatnonzero(lengths > cutting.max_seq_length)
    if len(long):
        cut = encode(cutting, [texts[at] for at in long])
        table["cut"] = exactness(cut, found["plain"].vectors[long])
    return {
        "machine": describe(),
        "file": path.name,
        "device": device,
        "bfloat16": native,
        "version": ours.version,
        "paragraphs": len(texts),
        "paragraphs_per_s": len(texts) / found["plain"].wall_s,
        "tokens": {"median": float(np.median(lengths)), "most": int(lengths.max())},
        "cut": {"length": int(cutting.max_seq_length), "share": len(long) / len(texts)},
        "systems": table,
    }


def show(result: dict[str, Any]) -> None:
    """Print the table, and whether the goals are met."""
    systems, cut = result["systems"], result["cut"]
    print(
        f"{result['paragraphs']} paragraphs of {result['file']} on {result['device']}, "
        f"{result['tokens']['median']:.0f} tokens in the median, {result['version']}\n"
    )
    print(f"{'':12} {'speed':>7} {'CPU':>7} {'smallest':>9} {'mean':>9}")
    for name, each in systems.items():
        times = "".join(f"{each[key]:6.2f}x " if key in each else " " * 8 for key in ("speed", "cpu"))
        print(f"{name:12} {times}{each['smallest']:9.5f} {each['mean']:9.5f}")
    print(f"\n`cut`: the {cut['share']:.0%} of the paragraphs with more than {cut['length']} tokens")
    exact = min(each["smallest"] for name, each in systems.items() if name != "cut")
    print(f"smallest cosine {exact:.5f}, goal {LEAST_COSINE}: {_met(exact >= LEAST_COSINE)}")
    speed = systems["ours"]["speed"]
    if result["bfloat16"]:
        print(f"speed {speed:.2f} times plain's, goal on a CPU {LEAST_SPEED}: {_met(speed >= LEAST_SPEED)}")
    else:
        print(
            f"this {result['device']} has no bfloat16: Groundswell embeds in float32, in smaller batches "
            "than plain; the speed of bfloat16 cannot be measured here"
        )


def _met(goal: bool) -> str:
    return "met" if goal else "missed"


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--talks", type=Path, help="file of talks, one JSON talk a line")
    parser.add_argument("--paragraphs", type=int, help=f"number of paragraphs (default: {PARAGRAPHS})")
    parser.add_argument("--quick", action="store_true", help=f"one round of {QUICK} paragraphs")
    parser.add_argument("--out", type=Path, help="write every figure here, as JSON")
    arguments = parser.parse_args()
    try:
        result = measure(arguments)
    except Explained as error:
        print(f"{error.cause}: {error.cure}", file=sys.stderr)
        return 1
    show(result)
    if arguments.out:
        arguments.out.write_text(json.dumps(result, indent=1))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
