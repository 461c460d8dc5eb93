"""Quality of topics on arrival, beside batch BERTopic with hindsight and BERTopic's online recipe.

python benchmarks/topics/quality.py [--stream FILE ...] [--limit N] [--no-hindsight] [--out FILE.json]

All systems get the same embeddings. Ours learns record by record, with the `blank` codebook:

- at ingest: what a paragraph was given when it was learned;
- revised: with what births gave to earlier paragraphs, and merged topics followed;
- final: what the final model would give it; that is hindsight too.

Batch: UMAP(15, 5) and HDBSCAN on the whole stream, as BERTopic fits it (`fit_transform` with these embeddings
gives these groups), with its default of 10 and with 15 and 40 as smallest topic; as it is, and with outliers
reduced to the topic of the closest mean embedding (BERTopic's `reduce_outliers`, strategy "embeddings").
Recipe: the documentation's `partial_fit` with IncrementalPCA(5), MiniBatchKMeans(50) and
OnlineCountVectorizer(decay=.01), in batches of 500.

NMI and ARI are over the paragraphs of labelled records. "No topic" counts as one more class, for every system
alike. `late` is the same over the later half of them. NPMI, C_v and diversity are over each system's own
groups of all paragraphs (see scores.py). Calibration: how far the probability of an assigned paragraph is
from the share of those whose label is the one that most of the topic's have.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("NUMBA_NUM_THREADS", "1")

from benchmarks.topics import labelled, scores, streams
from benchmarks.topics.unseeded import unseeded
from models.topics import TopicSettings

SMALLEST = (10, 15, 40)
RECIPE_BATCH = 500
Groups = list[int | None]


def ours(
    videos: list[streams.Video], vectors: list[NDArray[np.float32]], settings: TopicSettings
) -> tuple[dict[str, Groups], list[float], dict[str, Any]]:
    """Return the groups at ingest, revised and final, the probabilities at ingest, and what happened."""
    model = unseeded(vectors[0].shape[1], settings)
    given: dict[str, int | None] = {}
    revised: dict[str, int | None] = {}
    probabilities: list[float] = []
    happened = {"births": 0, "splits": 0, "merges": 0, "looks": 0, "looks rejected": 0}
    began = time.process_time()
    for video, rows in zip(videos, vectors, strict=True):
        outcome = model.learn(streams.batch(video, rows))
        for each in outcome.assignments:
            given[each.paragraph_id] = revised[each.paragraph_id] = each.topic_id
            probabilities.append(each.probability)
        for birth in outcome.births:
            revised.update((each.paragraph_id, each.topic_id) for each in birth.assignments)
            happened["splits" if birth.parent else "births"] += 1
        happened["merges"] += len(outcome.merges)
        if outcome.consolidation:
            happened["looks"] += 1
            happened["looks rejected"] += not outcome.consolidation.accepted
    happened["cpu_ms_a_paragraph"] = round(1000 * (time.process_time() - began) / len(given), 2)
    aliases = model.aliases()
    groups = {
        "ours at ingest": list(given.values()),
        "ours revised": [None if t is None else aliases.get(t, t) for t in revised.values()],
        "ours final": [topic for topic, _ in model.predict(np.vstack(vectors))],
    }
    return groups, probabilities, happened


def hindsight(rows: NDArray[np.float32]) -> dict[str, Groups]:
    """Return batch BERTopic's groups, with outliers and with outliers reduced, for each smallest topic."""
    from hdbscan import HDBSCAN
    from umap import UMAP

    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    reducer = UMAP(n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine", random_state=0, n_jobs=1)
    reduced = reducer.fit_transform(unit)
    groups: dict[str, Groups] = {}
    for smallest in SMALLEST:
        found = HDBSCAN(min_cluster_size=smallest, prediction_data=False).fit_predict(reduced)
        groups[f"batch, HDBSCAN({smallest})"] = [None if label < 0 else int(label) + 1 for label in found]
        topics = [label for label in np.unique(found) if label >= 0]
        if topics:
            means = np.array([unit[found == label].mean(axis=0) for label in topics])
            means /= np.linalg.norm(means, axis=1, keepdims=True)
            closest = np.array(topics)[(unit @ means.T).argmax(axis=1)]
            full = np.where(found < 0, closest, found)
            groups[f"batch, HDBSCAN({smallest}), outliers reduced"] = [int(label) + 1 for label in full]
    return groups


def recipe(texts: list[str], rows: NDArray[np.float32]) -> Groups:
    """Return the groups of BERTopic's documented online recipe, each paragraph's when it was learned."""
    from bertopic import BERTopic
    from bertopic.vectorizers import OnlineCountVectorizer
    from sklearn.cluster import MiniBatchKMeans
    from sklearn.decomposition import IncrementalPCA

    topics = BERTopic(
        umap_model=IncrementalPCA(n_components=5),
        hdbscan_model=MiniBatchKMeans(n_clusters=50, random_state=0),
        vectorizer_model=OnlineCountVectorizer(stop_words="english", decay=0.01),
    )
    groups: Groups = []
    vectors = rows.astype(np.float64)
    starts = list(range(0, len(texts), RECIPE_BATCH))
    if len(starts) > 1 and len(texts) - starts[-1] < 50:  # fewer than there are clusters: join the last two
        del starts[-1]
    for start, end in zip(starts, [*starts[1:], len(texts)], strict=True):
        topics.partial_fit(texts[start:end], embeddings=vectors[start:end])
        groups += [int(topic) for topic in topics.topics_]
    return groups


def measure(path: Path, settings: TopicSettings, arguments: argparse.Namespace) -> dict[str, Any]:
    """Return one stream's scores, by system."""
    videos = streams.read(path, arguments.limit)
    vectors = streams.embed(videos)
    rows, texts = np.vstack(vectors), [text for video in videos for text in video.texts]
    labels = [video.label for video in videos for _ in video.texts]
    groups, probabilities, happened = ours(videos, vectors, settings)
    groups["recipe at ingest"] = recipe(texts, rows)
    if not arguments.no_hindsight:
        groups |= hindsight(rows)
    words = scores.words_of(texts)
    corpus = scores.Corpus(words)
    known = [at for at, label in enumerate(labels) if label is not None]
    result: dict[str, Any] = {
        "stream": path.name,
        "records": len(videos),
        "paragraphs": len(texts),
        "labelled_paragraphs": len(known),
        "labels": len({labels[at] for at in known}),
        "happened": happened,
        "systems": {},
    }
    for name, given in groups.items():
        system: dict[str, Any] = {
            "topics": len({topic for topic in given if topic is not None}),
            "none": given.count(None) / len(given),
            **asdict(corpus.coherence(scores.strongest_words(words, given))),
        }
        if known:
            system |= scores.agreement([str(labels[at]) for at in known], [given[at] for at in known])
            late = known[len(known) // 2 :]
            system["late"] = scores.agreement([str(labels[at]) for at in late], [given[at] for at in late])
        result["systems"][name] = system
    result["calibration"] = _calibration(labels, groups["ours at ingest"], probabilities)
    return result


def _calibration(
    labels: list[str | None], given: Groups, probabilities: list[float]
) -> dict[str, float] | None:
    at = [each for each, label in enumerate(labels) if label is not None]
    right = scores.majority([str(labels[each]) for each in at], [given[each] for each in at])
    pairs = [
        (probabilities[each], hit) for each, hit in zip(at, right, strict=True) if given[each] is not None
    ]
    if not pairs:
        return None
    late = pairs[len(pairs) // 2 :]
    return {
        "error": scores.calibration_error(*zip(*pairs, strict=True)),
        "error_late": scores.calibration_error(*zip(*late, strict=True)),
        "mean_probability": float(np.mean([probability for probability, _ in pairs])),
        "share_right": float(np.mean([hit for _, hit in pairs])),
    }


def show(result: dict[str, Any]) -> None:
    """Print one stream's table."""
    print(
        f"\n{result['stream']}: {result['records']} records, {result['paragraphs']} paragraphs, "
        f"{result['labelled_paragraphs']} known with {result['labels']} labels; {result['happened']}"
    )
    columns = ("NMI", "ARI", "late", "ARI", "NPMI", "C_v")
    print(f"{'':40} {'K':>4} {'none':>5} " + " ".join(f"{name:>6}" for name in columns) + f" {'div.':>5}")
    for name, s in result["systems"].items():
        late = s.get("late", {})
        agreed = [s.get("nmi"), s.get("ari"), late.get("nmi"), late.get("ari")]
        numbers = " ".join("     -" if value is None else f"{value:6.3f}" for value in agreed)
        print(
            f"{name:40} {s['topics']:4} {s['none']:5.2f} {numbers} "
            f"{s['npmi']:6.3f} {s['c_v']:6.3f} {s['diversity']:5.2f}"
        )
    print(f"calibration: {result['calibration']}", flush=True)


def main() -> int:
    """Measure, print, write."""
    parser = labelled.parser(__doc__)
    parser.add_argument(
        "--no-hindsight", action="store_true", help="leave batch BERTopic out, which takes longest"
    )
    return labelled.run(parser.parse_args(), measure, show)


if __name__ == "__main__":
    sys.exit(main())
