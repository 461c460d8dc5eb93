"""Stability of topic ids: the topic that a paragraph got on arrival, against that of later models.

python benchmarks/topics/survival.py [--stream FILE ...] [--limit N] [--out FILE.json]

For each paragraph of the stream, in order, with merged topics followed to what they became:

- to the end: its id at ingest is the id that the *final* model predicts for its embedding. Over the
  paragraphs that were given a topic (`assigned`), and over all, where "no topic" must stay so (`all`);
- by cause: of the assigned, how many the final model gives to a topic born after they arrived, how many to
  a topic that was there, and how many to none. A topic born later is no instability: its subject was new, or
  there was not yet enough of it; but whoever asks again gets another answer, so it counts as lost;
- as recorded: its id at ingest is the id that stands in the records at the end. Records change only by births
  and merges, never by a second prediction;
- from the bootstrap on: the same, over the paragraphs that came after the last early look;
- between consolidations: its id at ingest is the id that the model predicts at most ten videos before the
  next look, over the paragraphs that came since the look before, from the bootstrap on.

Goals: to the end .95 or more, between consolidations .99 or more, of the assigned.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("OMP_NUM_THREADS", "1")

from benchmarks.topics import labelled, streams
from benchmarks.topics.unseeded import unseeded
from models.topics import TopicModel, TopicSettings

ASKED = 10
"""The model is asked about the paragraphs since the last look every so many videos; the last time counts."""
Ids = NDArray[np.int64]


def measure(path: Path, settings: TopicSettings, arguments: argparse.Namespace) -> dict[str, Any]:
    """Return one stream's survival."""
    videos = streams.read(path, arguments.limit)
    vectors = streams.embed(videos)
    model = unseeded(vectors[0].shape[1], settings)
    given: dict[str, int] = {}
    recorded: dict[str, int] = {}
    kept_between: list[NDArray[np.bool_]] = []
    since: list[NDArray[np.float32]] = []
    was, now = np.zeros(0, np.int64), np.zeros(0, np.int64)
    bootstrap, looks = 0, 0
    for video, rows in zip(videos, vectors, strict=True):
        outcome = model.learn(streams.batch(video, rows))
        ids = {each.paragraph_id: each.topic_id or 0 for each in outcome.assignments}
        given |= ids
        recorded |= ids
        for birth in outcome.births:
            recorded.update((each.paragraph_id, each.topic_id or 0) for each in birth.assignments)
        if outcome.consolidation:
            looks += 1
            if bootstrap:
                kept_between.append((was == now)[was > 0])
            elif len(given) >= settings.bootstrap:
                bootstrap = len(given)
            since = []
            was, now = np.zeros(0, np.int64), np.zeros(0, np.int64)
            continue
        since.append(rows)
        if len(since) % ASKED == 0:
            was = np.array(list(given.values())[-sum(map(len, since)) :], np.int64)
            now = _predict(model, since)
    aliases = model.aliases()
    at_ingest, at_end = (
        np.array([aliases.get(t, t) for t in each.values()], np.int64) for each in (given, recorded)
    )
    final = _predict(model, vectors)
    return {
        "stream": path.name,
        "paragraphs": len(given),
        "topics": len(model.active()),
        "looks": looks,
        "to the end": _survival(at_ingest, final),
        "as recorded": _survival(at_ingest, at_end),
        "from the bootstrap on": _survival(at_ingest[bootstrap:], final[bootstrap:]) if bootstrap else None,
        "between consolidations": float(np.concatenate(kept_between).mean()) if kept_between else None,
    }


def _predict(model: TopicModel, vectors: list[NDArray[np.float32]]) -> Ids:
    if not vectors:
        return np.zeros(0, np.int64)
    return np.array([topic or 0 for topic, _ in model.predict(np.vstack(vectors))], np.int64)


def _survival(before: Ids, after: Ids) -> dict[str, float]:
    had = before > 0
    was, now = before[had], after[had]
    return {
        "assigned": float(np.mean(was == now)),
        "all": float(np.mean(before == after)),
        "to a topic born later": float(np.mean(now > was)),
        "to a topic that was there": float(np.mean((now < was) & (now > 0))),
        "to none": float(np.mean(now == 0)),
    }


def show(result: dict[str, Any]) -> None:
    """Print one stream's survival."""
    between = result["between consolidations"]
    print(
        f"\n{result['stream']}: {result['paragraphs']} paragraphs, {result['topics']} topics, "
        f"{result['looks']} looks; "
        f"between consolidations {'-' if between is None else f'{between:.3f}'}"
    )
    for name in ("to the end", "from the bootstrap on", "as recorded"):
        if result[name]:
            print(
                f"{name:24} " + ", ".join(f"{what} {share:.3f}" for what, share in result[name].items()),
                flush=True,
            )


def main() -> int:
    """Measure, print, write."""
    return labelled.run(labelled.parser(__doc__).parse_args(), measure, show)


if __name__ == "__main__":
    sys.exit(main())
