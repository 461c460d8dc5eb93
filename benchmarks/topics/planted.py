"""Are planted subjects found, how soon, and how often is something else reported? Three older ways beside.

    python benchmarks/topics/planted.py --out planted.json
    python benchmarks/topics/planted.py --stream FILE --out FILE.json
    python benchmarks/topics/planted.py --quick

From labelled texts a stream is made in which all but a few labels are there from the first video, in an order
that is shuffled. The withheld ones begin at a time drawn at random just after the middle (see `planting`):
easy (a fifth of the videos, unlike all others), hard (3 %, like another), ramp (from nothing to 15 %);
recurring (there in the first quarter, and back) and flood (a fifth of the videos, all of one channel) must
not be reported. A null stream has nothing withheld. Alerts count as right when half of their videos have the
label. Everything is measured for each sensitivity.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.machine import describe
from benchmarks.topics import streams
from benchmarks.topics.baselines import first_stories, plain_burst, slices
from benchmarks.topics.planting import SHARES, VIDEOS, Garden, Stream
from benchmarks.topics.scoring import Score
from benchmarks.topics.unseeded import alerts, learn
from models.errors import BadInput
from models.topics import Batch, TopicSettings
from models.topics.bursts.term_bursts import Spoken
from models.topics.online.centring import unit
from models.topics.settings import Sensitivity
from streams.errors import DataError

DEFAULT = "labelled/optech_newsletter_items.jsonl.gz"
LIMIT = 16_384
"""Records read of a file: a garden needs no more."""
SENSITIVITIES: tuple[Sensitivity, ...] = ("low", "normal", "high")
BASELINES = {"plain term burst": plain_burst, "slice and merge": slices, "first stories": first_stories}


def batches(stream: Stream) -> list[Batch]:
    """The stream as the topic model learns it."""
    return [streams.batch(video, rows) for video, rows in zip(stream.videos, stream.vectors, strict=True)]


def spoken(batch: Batch) -> Spoken:
    """A video as the channels see it."""
    return Spoken(
        video_id=batch.video_id,
        source=batch.origin,
        published_on=batch.published_on,
        paragraph_ids=batch.paragraph_ids,
        texts=batch.texts,
        starts=batch.starts,
        vectors=unit(batch.embeddings.astype(np.float64)),
    )


def measure(garden: Garden, seeds: int, sensitivities: Sequence[Sensitivity]) -> dict[str, Any]:
    """All detectors on `seeds` planted and as many null streams of a file."""
    scores: dict[str, Score] = {}
    seconds = 0.0
    for seed in range(seeds):
        for stream in (garden.planted(seed), garden.null(seed)):
            learned = batches(stream)
            began = time.process_time()
            for sensitivity in sensitivities:
                told = alerts(learn(learned, TopicSettings(sensitivity=sensitivity)))
                scores.setdefault(sensitivity, Score()).count(stream, told)
            seconds += time.process_time() - began
            said = [spoken(batch) for batch in learned]
            for name, baseline in BASELINES.items():
                scores.setdefault(name, Score()).count(stream, baseline(said))
        done = scores[sensitivities[-1]].report()
        print(
            f"{garden.name}: {seed + 1} of {seeds} seeds, recall {done['recall']}, "
            f"{done['false_per_10k']} other alerts per 10,000 ({sensitivities[-1]})",
            file=sys.stderr,
            flush=True,
        )
    return {
        "labels": len(garden.labels),
        "sources": "its own" if garden.sourced else "made up",
        "cpu_seconds": round(seconds),
        "detectors": {name: score.report() for name, score in scores.items()},
    }


def table(results: dict[str, Any]) -> str:
    """The figures of a file as lines of text."""
    lines = [f"{'':18}recall  precision  other/10k  null/10k  twice  videos to alert   by scenario"]
    for name, score in results["detectors"].items():
        scenarios = "  ".join(
            f"{scenario} {each['alerted']}/{each['planted']}" for scenario, each in score["scenarios"].items()
        )
        figures = [
            score[key]
            for key in ("recall", "precision", "false_per_10k", "null_per_10k", "duplicates_per_found")
        ]
        shown = "  ".join(f"{'-' if figure is None else round(figure, 2):>7}" for figure in figures)
        lines.append(f"{name:18}{shown}  {score['videos_to_alert'] or '-':>9}   {scenarios}")
    return "\n".join(lines)


def garden(path: Path, size: int, limit: int = LIMIT) -> Garden:
    """The texts of a file, embedded.

    Raises:
        DataError: too few labels have texts enough.
    """
    videos = streams.read(path, limit)
    found = Garden(path.name, videos, streams.embed(videos), size)
    if len(found.labels) < len(SHARES):
        raise DataError(
            f"{path.name} has {len(found.labels)} labels that could be planted, of {len(SHARES)} needed",
            "name a stream with labels, each on 20 to a twelfth of its texts",
        )
    return found


def main() -> int:
    """Measure, print a table, and write what `--out` names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stream", type=Path, action="append", help="a labelled stream; may come twice")
    parser.add_argument("--out", type=Path, help="where to write the figures as JSON")
    parser.add_argument("--seeds", type=int, default=10, help="planted and null streams of a file (10)")
    parser.add_argument("--videos", type=int, default=VIDEOS, help=f"in a stream before planting ({VIDEOS})")
    parser.add_argument("--limit", type=int, default=LIMIT, help=f"records read of a file ({LIMIT})")
    parser.add_argument("--sensitivity", choices=SENSITIVITIES, help="only this one")
    parser.add_argument("--quick", action="store_true", help="2 seeds, normal sensitivity")
    given = parser.parse_args()
    sensitivities = (given.sensitivity,) if given.sensitivity else SENSITIVITIES
    seeds = given.seeds
    if given.quick:
        sensitivities, seeds = ("normal",), 2
    try:
        paths = given.stream or [streams.data_file(DEFAULT)]
        files = {}
        for path in paths:
            files[path.name] = measure(garden(path, given.videos, given.limit), seeds, sensitivities)
            print(f"\n{path.name}\n{table(files[path.name])}\n", flush=True)
    except (DataError, BadInput) as error:
        print(error, file=sys.stderr)
        return 1
    if given.out:
        result = {"machine": describe(), "seeds": seeds, "videos": given.videos, "files": files}
        given.out.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
