"""Drift: does it find what changes in topics, and nothing where nothing changes?

    python benchmarks/topics/drift.py [--stream FILE] [--out FILE.json]

Topics are k-means clusters of all of a stream's paragraphs, made with hindsight: so a topic is the same
whatever the order of the videos, and what is measured is the detectors alone. Without --stream it is the
Practical AI podcast, 2018-2024. Reported are

- real: the drifts in the stream's own order, each with its words, to be read by a human eye;
- described: the same of one topic each that --describe puts in words (the 300 nearest paragraphs a topic);
- shuffled: how many there are in random orders of the same videos, in which nothing changes;
- planted: in random orders, new words take over in a topic's later videos, or its paragraphs those of another
  topic, or its share grows; found within how many videos with the topic;
- health: false alarms and delays on simulated videos, and the changes in the stream's own order;
- cost: of a video at 300 topics of which it speaks of five, and of restoring them.

Nothing here was tuned on pyvideo, Lobsters or the other shows; see `DriftSettings` for what was.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from datetime import UTC
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.machine import describe
from benchmarks.topics import streams
from benchmarks.topics.model_health import health
from benchmarks.topics.planted_drift import planted
from benchmarks.topics.topic_videos import DAY, TopicVideo, shuffled, watch
from models.errors import BadInput
from models.topics.drift.health import HealthSettings
from models.topics.drift.watch import DriftSettings, DriftWatch, Spoke
from models.topics.online.centring import unit
from models.topics.online.words import content_words
from models.topics.results import Drift
from streams.errors import DataError

STREAM = "talks/changelog_practicalai.jsonl.gz"
DESCRIBED = (
    "Large language models: models that understand, write and translate text, such as GPT and BERT.",
    "Agents: systems that plan and act on their own, call tools and learn from what comes of it.",
)
"""What the Practical AI stream is asked about besides its clusters."""
NEAREST = 300
"""Paragraphs of a described topic."""
PARAGRAPHS_A_TOPIC = 200
"""The stream has as many clusters as it has so many paragraphs, from 8 to 60."""
WATCHED = 24
"""Topics with fewer videos than this are too small for words and centre to change."""


def cluster(vectors: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return a topic id from 1 on for each of the unit vectors, [n, d]."""
    from sklearn.cluster import KMeans

    topics = min(max(len(vectors) // PARAGRAPHS_A_TOPIC, 8), 60, len(vectors))
    centred = unit(vectors - vectors.mean(axis=0))
    found = KMeans(topics, n_init=1, max_iter=50, random_state=0).fit_predict(centred)
    return np.asarray(found, np.int64) + 1


def nearest(vectors: NDArray[np.float64], description: str) -> NDArray[np.int64]:
    """Return topic 1 for the unit vectors nearest to the description, and 0 for the others."""
    wanted = streams.embed_texts([description]).astype(np.float64)[0]
    centred = unit(vectors - vectors.mean(axis=0))
    cosines = centred @ unit(wanted - vectors.mean(axis=0))
    topic = np.zeros(len(vectors), np.int64)
    topic[np.argsort(-cosines, kind="stable")[:NEAREST]] = 1
    return topic


def said(
    videos: Sequence[streams.Video], rows: NDArray[np.float64], topics: NDArray[np.int64]
) -> tuple[list[TopicVideo], dict[int, str]]:
    """Return what each video says of each topic, and the topics' labels: their most telling words."""
    found, counts, at = [], defaultdict(Counter), 0
    for video in videos:
        words: dict[int, list[str]] = defaultdict(list)
        vectors: dict[int, list[int]] = defaultdict(list)
        for text in video.texts:
            if topics[at] > 0:
                words[int(topics[at])].extend(content_words(text))
                vectors[int(topics[at])].append(at)
            at += 1
        spoke = tuple(Spoke(topic, tuple(words[topic]), rows[vectors[topic]]) for topic in sorted(words))
        for each in spoke:
            counts[each.topic_id].update(set(each.words))
        found.append(TopicVideo(video.video_id, video.published_at.astimezone(UTC).date(), spoke))
    overall = sum(counts.values(), Counter())
    labels = {
        topic: ", ".join(sorted(words, key=lambda w: (-(words[w] ** 2) / overall[w], w))[:4])
        for topic, words in sorted(counts.items())
    }
    return found, labels


def of_order(
    stream: Sequence[TopicVideo], labels: dict[int, str], dimension: int, seeds: int
) -> dict[str, Any]:
    """Measure the stream's own order, and random ones."""
    sizes = Counter(each.topic_id for video in stream for each in video.spoke)
    topics = [topic for topic in sorted(sizes) if sizes[topic] >= WATCHED]
    watched = sum(sizes[topic] for topic in topics)
    if not watched:
        raise DataError(
            f"no topic is in {WATCHED} of the {len(stream)} videos", "name a stream of more videos"
        )
    kept = [replace(v, spoke=tuple(s for s in v.spoke if sizes[s.topic_id] >= WATCHED)) for v in stream]
    real = watch(kept, topics, dimension)
    null = [watch(shuffled(kept, seed), topics, dimension) for seed in range(seeds)]
    alarms = [drift for drifts in null for drift in drifts]
    return {
        "topics": len(topics),
        "topic_videos": watched,
        "real": {"per_kind": _kinds(real), "per_1000_topic_videos": 1000 * len(real) / watched},
        "shuffled": {
            "orders": seeds,
            "per_kind": _kinds(alarms),
            "words_and_centre_per_1000_topic_videos": 1000
            * sum(drift.what in ("words", "centre") for drift in alarms)
            / (watched * seeds),
            "share_per_1000_videos_and_topic": 1000
            * sum(drift.what == "share" for drift in alarms)
            / (len(kept) * len(topics) * seeds),
            "per_10000_videos": 10_000 * len(alarms) / (len(kept) * seeds),
        },
        "drifts": [_shown(drift, labels[drift.topic_id]) for drift in real],
    }


def cost(dimension: int) -> dict[str, Any]:
    """Measure CPU time and state at 300 topics, each with as many videos as are kept of it."""
    chance = np.random.default_rng(0)
    words = [f"word{number}" for number in range(20_000)]
    watched = DriftWatch(DriftSettings(), dimension)
    for topic in range(1, 301):
        watched.begin(topic)
    times = []
    for position in range(300 * 90 // 5):
        spoke = []
        for topic in sorted({1 + (5 * position + offset) % 300 for offset in range(5)}):
            places = np.minimum(chance.zipf(1.3, 100), 20_000) - 1
            vectors = unit(chance.normal(size=(3, dimension)) + 2 * np.eye(300, dimension)[topic - 1])
            spoke.append(
                Spoke(topic, tuple(words[(place * 7 + topic) % 20_000] for place in places), vectors)
            )
        begun = time.process_time()
        watched.update(spoke, DAY, str(position))
        times.append(time.process_time() - begun)
    arrays, said_words = watched.to_arrays(), watched.to_json()
    begun = time.process_time()
    DriftWatch.from_state(DriftSettings(), dimension, arrays, said_words)
    restored = time.process_time() - begun
    late = times[-1000:]
    return {
        "ms_a_video": 1000 * float(np.mean(late)),
        "ms_a_video_99th_percentile": 1000 * float(np.quantile(late, 0.99)),
        "ms_a_video_highest": 1000 * max(late),
        "restore_s": restored,
        "state_MB": sum(array.nbytes for array in arrays.values()) / 1e6,
        "words": len(said_words),
    }


def measure(path: Path, descriptions: Sequence[str], seeds: int, limit: int | None) -> dict[str, Any]:
    """Return everything measured on one stream."""
    videos = streams.read(path)
    embedded = streams.embed(videos)[:limit]
    videos = videos[:limit]
    rows = np.vstack(embedded).astype(np.float64)
    topics = cluster(rows)
    stream, labels = said(videos, rows, topics)
    return {
        "stream": path.name,
        "videos": len(videos),
        "paragraphs": len(rows),
        "settings": {"drift": asdict(DriftSettings()), "health": asdict(HealthSettings())},
        "clusters": of_order(stream, labels, rows.shape[1], seeds),
        "described": {text: _described(videos, rows, text, seeds) for text in descriptions},
        "planted": planted(stream, rows.shape[1]),
        "health": health(videos, rows, topics),
        "cost": cost(rows.shape[1]),
    }


def _described(
    videos: Sequence[streams.Video], rows: NDArray[np.float64], text: str, seeds: int
) -> dict[str, Any]:
    stream, labels = said(videos, rows, nearest(rows, text))
    return of_order(stream, labels, rows.shape[1], seeds)


def _kinds(drifts: Sequence[Drift]) -> dict[str, int]:
    return dict(sorted(Counter(drift.what for drift in drifts).items()))


def _shown(drift: Drift, label: str) -> dict[str, Any]:
    return {"topic": label, **asdict(drift), "since": drift.since.isoformat()}


def _lines(result: dict[str, Any]) -> Iterator[str]:
    yield f"{result['stream']}: {result['videos']} videos, {result['paragraphs']} paragraphs"
    for name, part in {"clusters": result["clusters"], **result["described"]}.items():
        yield f"\n{name}: {part['topics']} topics, {part['topic_videos']} topic-videos"
        yield f"  own order: {part['real']}\n  shuffled: {part['shuffled']}"
        for drift in part["drifts"]:
            words = f" {' '.join(drift['words_before'])} → {' '.join(drift['words_after'])}"
            yield (
                f"  [{drift['topic']}] {drift['what']} {drift['before']:.2f} → {drift['after']:.2f} since "
                f"{drift['since']} ({drift['videos_before']} | {drift['videos_after']} videos)"
                + (words if drift["what"] == "words" else "")
            )
    for name in ("planted", "health", "cost"):
        yield f"\n{name}:"
        for key, value in result[name].items():
            yield f"  {key}: {value}"


def main() -> int:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stream", type=Path, help="one dated stream, labelled or not")
    parser.add_argument("--describe", nargs="+", help="topics in words, to be watched by themselves")
    parser.add_argument("--orders", type=int, default=5, help="random orders")
    parser.add_argument("--limit", type=int, help="only the first so many videos")
    parser.add_argument("--out", type=Path, help="write the result as JSON")
    arguments = parser.parse_args()
    descriptions = arguments.describe or (() if arguments.stream else DESCRIBED)
    try:
        path = arguments.stream or streams.data_file(STREAM)
        result = measure(path, descriptions, arguments.orders, arguments.limit)
        result["machine"] = describe()
        if arguments.out:
            arguments.out.write_text(
                json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
            )
    except (BadInput, DataError, OSError) as error:
        print(f"cannot measure: {error}", file=sys.stderr)
        return 1
    print("\n".join(_lines(result)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
