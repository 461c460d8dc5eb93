"""Effect of recognition errors on topics and alerts, at 0, 5, 10 and 15 % of words wrong.

    python benchmarks/topics/asr.py --out asr.json
    python benchmarks/topics/asr.py --stream FILE --out FILE.json

The errors are simulated (see `mishearing`): names and rare words go wrong up to five times as often as common
ones. The same planted and null streams (see `planted`) are heard at each rate and embedded again. NMI is that
of topics at ingest with labels, over the paragraphs that have a topic.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.machine import describe
from benchmarks.topics import streams
from benchmarks.topics.mishearing import Mishearing
from benchmarks.topics.planted import DEFAULT, batches, garden
from benchmarks.topics.planting import Stream
from benchmarks.topics.scoring import Score
from benchmarks.topics.unseeded import alerts, learn
from models.errors import BadInput
from models.topics import Outcome, TopicSettings
from streams.errors import DataError

RATES = (0.0, 0.05, 0.10, 0.15)
VIDEOS = 1000


def misheard(stream: Stream, rate: float) -> tuple[Stream, float]:
    """The stream with word errors, embedded again, and the share of its words that went wrong."""
    if not rate:
        return stream, 0.0
    mishearing = Mishearing(text for video in stream.videos for text in video.texts)
    videos, words, errors = [], 0, 0
    for number, video in enumerate(stream.videos):
        chance = np.random.default_rng([stream.seed, number, round(1000 * rate)])
        texts = []
        for text in video.texts:
            heard, count, wrong = mishearing.hear(text, rate, chance)
            texts.append(heard if heard.strip() else text)
            words, errors = words + count, errors + wrong
        videos.append(replace(video, texts=tuple(texts)))
    vectors = streams.embed(videos)
    return replace(stream, videos=tuple(videos), vectors=tuple(vectors)), errors / max(words, 1)


def nmi(stream: Stream, outcomes: Sequence[Outcome]) -> tuple[float, float]:
    """Normalised mutual information of topics and labels, and the share of paragraphs with a topic."""
    from sklearn.metrics import normalized_mutual_info_score

    labels, topics, count = [], [], 0
    for video, outcome in zip(stream.videos, outcomes, strict=True):
        for assignment in outcome.assignments:
            count += 1
            if assignment.topic_id is not None:
                labels.append(str(video.label))
                topics.append(assignment.topic_id)
    return float(normalized_mutual_info_score(labels, topics)), len(topics) / max(count, 1)


def measure(found: Sequence[Stream], rate: float) -> dict[str, Any]:
    """Everything at one rate."""
    score, scores, shares, rates = Score(), [], [], []
    for clean in found:
        stream, wrong = misheard(clean, rate)
        outcomes = list(learn(batches(stream), TopicSettings()))
        score.count(stream, alerts(outcomes))
        agreement, assigned = nmi(stream, outcomes)
        scores.append(agreement)
        shares.append(assigned)
        rates.append(wrong)
    return {
        "words_wrong": round(float(np.mean(rates)), 4),
        "nmi": round(float(np.mean(scores)), 4),
        "with_topic": round(float(np.mean(shares)), 4),
        **score.report(),
    }


def main() -> int:
    """Measure, print a table, and write what `--out` names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stream", type=Path, help="a labelled stream")
    parser.add_argument("--out", type=Path, help="where to write the figures as JSON")
    parser.add_argument("--seeds", type=int, default=2, help="planted and null streams (2)")
    parser.add_argument("--videos", type=int, default=VIDEOS, help=f"in a stream before planting ({VIDEOS})")
    given = parser.parse_args()
    rows = {}
    try:
        source = garden(given.stream or streams.data_file(DEFAULT), given.videos)
        found = [each for seed in range(given.seeds) for each in (source.planted(seed), source.null(seed))]
        for rate in RATES:
            rows[f"{rate:.2f}"] = row = measure(found, rate)
            print(
                f"{rate:4.0%} asked, {row['words_wrong']:5.1%} of words wrong: NMI {row['nmi']:.3f}, "
                f"{row['with_topic']:.0%} with a topic, recall {row['recall']:.2f} "
                f"({row['videos_to_alert']} videos to the alert), "
                f"other alerts per 10,000: {row['false_per_10k']}, null stream {row['null_per_10k']}",
                flush=True,
            )
    except (DataError, BadInput) as error:
        print(error, file=sys.stderr)
        return 1
    if given.out:
        result = {
            "machine": describe(),
            "file": source.name,
            "seeds": given.seeds,
            "videos": given.videos,
            "rates": rows,
        }
        given.out.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
