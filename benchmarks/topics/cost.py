"""Cost of a paragraph to the topic model, and size of its state, up to a million paragraphs.

python benchmarks/topics/cost.py [--stream FILE] [--paragraphs N] [--out FILE.json]

A talk is 33 paragraphs. The first round is the stream itself, in order. Every further round replays it with
noise (each embedding keeps a cosine of about .95 with its own), new ids and later days, and every tenth talk
is made up: it speaks of one of five new subjects of its round, in invented words. So topics, vocabulary and
videos keep growing until the model's bounds hold. Processor time is of `learn` alone; the time of embedding a
paragraph of the stream with the packaged model, in float32 and one thread as in the pipeline, is taken in the
same run.
"""

from __future__ import annotations

import argparse
import cProfile
import io
import json
import os
import pstats
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("OMP_NUM_THREADS", "1")

from benchmarks.machine import describe
from benchmarks.topics import streams
from models.codebook.codebook import load as load_codebook
from models.topics import Batch, TopicModel, TopicSettings, dump
from models.topics.drift.watch import DriftSettings

DEFAULT = "talks/changelog_practicalai.jsonl.gz"
TALK = 33
"""Paragraphs in a talk: some fifty minutes of speech."""
MARKS = (1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000)
WINDOW = 0.25
"""The cost at a mark is the mean over this last share of the paragraphs before it."""
NOISE = 0.33
"""Length of the noise that a replayed unit vector gets: 1 / sqrt(1 + .33²) = .95."""
SUBJECTS, SUBJECT_WORDS, EVERY = 5, 12, 10
EMBEDDED = 96
"""Paragraphs whose embedding is timed."""
GOAL_RATIO, GOAL_FLAT, GOAL_BYTES = 0.05, 1.25, 1_000_000_000
FLAT_FROM = 10_000


def talks(videos: list[streams.Video], vectors: list[NDArray[np.float32]]) -> Iterator[Batch]:
    """Yield talks without end: the stream, then its replays."""
    texts = [text for video in videos for text in video.texts]
    rows = np.vstack(vectors)
    owner = np.repeat(np.arange(len(videos)), [len(video.texts) for video in videos])
    span = (videos[-1].published_at - videos[0].published_at).days + 1
    dimension, number, turn = rows.shape[1], 0, 0
    while True:
        rng = np.random.default_rng([17, turn])
        own = rng.normal(size=(SUBJECTS, dimension))
        own /= np.linalg.norm(own, axis=1, keepdims=True)
        for at in range(0, len(texts), TALK):
            said, embedded = texts[at : at + TALK], rows[at : at + TALK]
            if turn:
                embedded = embedded + rng.normal(size=embedded.shape) * NOISE / np.sqrt(dimension)
                if number % EVERY == 0:
                    which = number // EVERY % SUBJECTS
                    embedded = embedded * 0.45 + own[which]
                    said = [_invented(rng, f"{turn}-{which}") for _ in said]
            video = videos[owner[at]]
            yield Batch(
                batch_id=f"{number}",
                video_id=f"{number}",
                published_on=(video.published_at + timedelta(days=span * turn)).date(),
                paragraph_ids=tuple(f"{number}#{position}" for position in range(len(said))),
                texts=tuple(said),
                embeddings=embedded.astype(np.float32),
                source=f"{video.source} {number % 7}",
                starts=tuple(float(60 * position) for position in range(len(said))),
            )
            number += 1
        turn += 1
        span = min(span, 30)  # a thousand rounds end before the calendar does


def _invented(rng: np.random.Generator, subject: str) -> str:
    return " ".join(f"word{letter}-{subject}" for letter in rng.integers(0, SUBJECT_WORDS, 40))


def embedding_ms(texts: list[str]) -> float:
    """Return the processor time of embedding a paragraph, in ms: one thread, after a warm-up."""
    import torch

    torch.set_num_threads(1)
    step = max(1, len(texts) // EMBEDDED)
    some = texts[::step][:EMBEDDED]
    streams.embedder().embed(some[:4])
    began = time.process_time()
    streams.embedder().embed(some)
    return 1000 * (time.process_time() - began) / len(some)


def adwin_us() -> float:
    """Return the processor time of telling river's ADWIN one bit, in µs."""
    from river.drift import ADWIN

    settings, bits = DriftSettings(), np.random.default_rng(3).random(4000) < 0.2
    make: Any = ADWIN
    adwin = make(delta=settings.delta, clock=settings.clock)
    began = time.process_time()
    for bit in bits:
        adwin.update(int(bit))
    return 1e6 * (time.process_time() - began) / len(bits)


def measure(model: TopicModel, feed: Iterator[Batch], real: int, limit: int) -> list[dict[str, Any]]:
    """Learn up to `limit` paragraphs; return a row a mark."""
    process, rows = psutil.Process(), []
    before_mb, paragraphs, number = process.memory_info().rss / 1e6, 0, 0
    spent: list[tuple[int, float]] = [(0, 0.0)]
    marks = [mark for mark in MARKS if mark < limit] + [limit]
    for mark in marks:
        while paragraphs < mark:
            batch = next(feed)
            began = time.process_time()
            model.learn(batch)
            paragraphs, number = paragraphs + len(batch.texts), number + 1
            spent.append((paragraphs, spent[-1][1] + time.process_time() - began))
        start = next(entry for entry in reversed(spent) if entry[0] <= mark * (1 - WINDOW))
        spent = spent[spent.index(start) :]
        began = time.process_time()
        snapshot = model.to_snapshot()
        size = len(dump(snapshot))
        rows.append(
            {
                "paragraphs": paragraphs,
                "talks": number,
                "replayed": paragraphs > real,
                "topics": len(model.topics()),
                "cpu_ms": round(1000 * (spent[-1][1] - start[1]) / (paragraphs - start[0]), 4),
                "cpu_ms_all": round(1000 * spent[-1][1] / paragraphs, 4),
                "snapshot_bytes": size,
                "snapshot_cpu_ms": round(1000 * (time.process_time() - began), 1),
                "rss_growth_mb": round(process.memory_info().rss / 1e6 - before_mb, 1),
            }
        )
        del snapshot
        print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    return rows


def single_ms(model: TopicModel, feed: Iterator[Batch], singles: int = 60) -> float:
    """Return the processor time of learning a talk of one paragraph, in ms: what a stream of titles costs."""
    spent = 0.0
    for number, batch in enumerate(next(feed) for _ in range(singles)):
        one = replace(
            batch,
            batch_id=f"single {number}",
            video_id=f"single {number}",
            paragraph_ids=(f"single {number}",),
            texts=batch.texts[:1],
            embeddings=batch.embeddings[:1],
            starts=(),
        )
        began = time.process_time()
        model.learn(one)
        spent += time.process_time() - began
    return 1000 * spent / singles


def hot_spots(model: TopicModel, feed: Iterator[Batch], talks_profiled: int = 30) -> list[dict[str, Any]]:
    """Return where the time of some more talks goes: the functions with the most of it, callees included.

    Among them BERTopic's `partial_fit`, and `drift.py:update`, which is river's part.
    """
    profile = cProfile.Profile()
    for batch in (next(feed) for _ in range(talks_profiled)):
        profile.enable()
        model.learn(batch)
        profile.disable()
    stats: Any = pstats.Stats(profile, stream=io.StringIO())
    whole = stats.total_tt
    found = [
        {
            "function": f"{Path(file).parent.name}/{Path(file).name}:{name}",
            "share": round(cumulative / whole, 3),
            "own_share": round(own / whole, 3),
            "calls": calls,
        }
        for (file, _, name), (_, calls, own, cumulative, _) in stats.stats.items()
    ]
    return sorted(found, key=lambda each: -each["share"])[:40]


def judged(rows: list[dict[str, Any]], embedding: float) -> dict[str, Any]:
    """Return the goals and whether they are met."""
    late = [row for row in rows if row["paragraphs"] >= FLAT_FROM]
    worst = max(rows, key=lambda row: row["cpu_ms"])
    flat = late[-1]["cpu_ms"] / late[0]["cpu_ms"] if len(late) > 1 else None
    size = max(max(row["snapshot_bytes"], row["rss_growth_mb"] * 1e6) for row in rows)
    return {
        "ratio": round(worst["cpu_ms"] / embedding, 4),
        "ratio_goal": GOAL_RATIO,
        "ratio_met": worst["cpu_ms"] / embedding <= GOAL_RATIO,
        "last_to_10k": round(flat, 3) if flat else None,
        "flat_goal": GOAL_FLAT,
        "flat_met": None if flat is None else flat <= GOAL_FLAT,
        "bytes": round(size),
        "bytes_goal": GOAL_BYTES,
        "bytes_met": size <= GOAL_BYTES,
    }


def main() -> None:
    """Measure, print a table, and write what was measured."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stream", type=Path, help=f"JSONL, optionally gz; without it, {DEFAULT}")
    parser.add_argument("--paragraphs", type=int, default=MARKS[-1], help="stop here")
    parser.add_argument("--codebook", default="llm-in-production", help="what seeds the model")
    parser.add_argument("--out", type=Path, help="write the figures here as JSON")
    given = parser.parse_args()

    path = given.stream or streams.data_file(DEFAULT)
    videos = streams.read(path)
    vectors = streams.embed(videos)
    codebook = load_codebook(given.codebook)
    seeds = streams.embed_texts([topic.seed for topic in codebook.topics]) if codebook.topics else None
    if seeds is None:
        seeds = np.zeros((0, vectors[0].shape[1]), np.float32)
    embedding = embedding_ms([text for video in videos for text in video.texts])
    model = TopicModel.seeded(codebook, seeds, TopicSettings(), streams.embedder().space)
    feed, real = talks(videos, vectors), sum(map(len, vectors))
    rows = measure(model, feed, real, given.paragraphs)
    made = {
        "benchmark": "topics/cost",
        "stream": path.name,
        "real_paragraphs": real,
        "embedding_cpu_ms": round(embedding, 3),
        "adwin_update_us": round(adwin_us(), 3),
        "rows": rows,
        "single_paragraph_talk_cpu_ms": round(single_ms(model, feed), 3),
        "goals": judged(rows, embedding),
        "hot_spots": hot_spots(model, feed),
        "machine": describe(),
    }
    print(
        f"{path.name}: {real:,} real paragraphs, the rest replayed; embedding {embedding:.1f} ms a paragraph"
    )
    print("paragraphs  topics  ms/paragraph  of embedding  snapshot MB  RSS growth MB")
    for row in rows:
        share = row["cpu_ms"] / embedding
        print(
            f"{row['paragraphs']:>10,}{row['topics']:>8}{row['cpu_ms']:>14.3f}{share:>14.1%}"
            f"{row['snapshot_bytes'] / 1e6:>13.1f}{row['rss_growth_mb']:>15.1f}"
        )
    print(json.dumps(made["goals"]))
    if given.out:
        given.out.write_text(json.dumps(made, indent=2) + "\n")


if __name__ == "__main__":
    main()
