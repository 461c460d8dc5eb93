"""Are the shares that are measured those that people see? Against tags that people gave to talks.

python benchmarks/topics/shares.py [--stream FILE ...] [--limit N] [--least 10] [--out FILE.json]

The model learns the stream without a codebook. Then a codebook is made as a person would make it, but from
the tags of half of the videos (by a hash of their ids): for each tag that at least `--least` videos have, the
topics that predict it best, taken one by one as long as F1 improves. A video has a tag, to us, if it has a
paragraph of one of them. On the other half of the videos, per tag and quarter of publication, our share of
videos is compared with people's: Pearson's correlation over quarters, mean absolute error, and precision and
recall per video.

Baseline in the same run: a video has a tag if its text names it, hyphens as spaces.

Default: talks about Bitcoin with tags, items of a newsletter with index entries, and the talks in which its
authors go through these items, a section an item (see recaps.py); all from people. They tag what a talk is
mainly about; what it mentions in passing counts for us too, so our shares tend to be higher.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("OMP_NUM_THREADS", "1")

from benchmarks.topics import labelled, recaps, streams
from benchmarks.topics.streams import Video
from benchmarks.topics.unseeded import unseeded
from models.errors import BadInput
from models.hashing import hashed
from models.topics import TopicSettings
from streams.errors import DataError

ITEMS, RECAPS = "labelled/optech_newsletter_items.jsonl.gz", "talks/optech_podcast.jsonl.gz"
STREAMS = ("talks/bitcointranscripts.jsonl.gz", ITEMS, RECAPS)
QUARTER_VIDEOS = 5
"""A quarter counts with at least so many videos that have a tag."""
Tagged = Mapping[str, frozenset[str]]
"""Of each tag, the videos that have it."""


def topics_of(videos: Sequence[Video], settings: TopicSettings) -> dict[str, frozenset[int]]:
    """Return each video's topics: as learned, with what births and merges changed since."""
    vectors = streams.embed(videos)
    model = unseeded(vectors[0].shape[1], settings)
    given: dict[str, int | None] = {}
    for video, rows in zip(videos, vectors, strict=True):
        outcome = model.learn(streams.batch(video, rows))
        given |= {each.paragraph_id: each.topic_id for each in outcome.assignments}
        for birth in outcome.births:
            given |= {each.paragraph_id: each.topic_id for each in birth.assignments}
    aliases = model.aliases()
    found: dict[str, set[int]] = {video.video_id: set() for video in videos}
    for paragraph_id, topic in given.items():
        if topic is not None:
            found[paragraph_id.rpartition("#")[0]].add(aliases.get(topic, topic))
    return {video_id: frozenset(topics) for video_id, topics in found.items()}


def chosen(tag: frozenset[str], by_topic: Mapping[int, frozenset[str]]) -> list[int]:
    """Return the topics that together predict a tag best: one after the other, while F1 improves."""
    picked: list[int] = []
    covered: frozenset[str] = frozenset()
    best = 0.0
    while True:
        scores = {
            topic: f1(covered | videos, tag) for topic, videos in by_topic.items() if topic not in picked
        }
        topic = max(sorted(scores), key=scores.__getitem__, default=None)
        if topic is None or scores[topic] <= best:
            return picked
        picked.append(topic)
        covered, best = covered | by_topic[topic], scores[topic]


def f1(found: frozenset[str], true: frozenset[str]) -> float:
    """Return the harmonic mean of precision and recall; 0 where nothing is found.

    >>> f1(frozenset("ab"), frozenset("bc"))
    0.5
    """
    return 2 * len(found & true) / (len(found) + len(true)) if found or true else 0.0


def compare(found: Tagged, true: Tagged, videos: Sequence[Video]) -> dict[str, Any]:
    """Compare shares by quarter, over these videos."""
    quarters = {video.video_id: quarter(video) for video in videos}
    counts = Counter(quarters.values())
    kept = sorted(name for name, count in counts.items() if count >= QUARTER_VIDEOS)
    tags, ours_all, theirs_all = [], [], []
    for tag in sorted(true):
        ours, theirs = (_shares(each.get(tag, frozenset()), quarters, counts, kept) for each in (found, true))
        ours_all += ours
        theirs_all += theirs
        inside = frozenset(quarters)
        said, has = found.get(tag, frozenset()) & inside, true[tag] & inside
        tags.append(
            {
                "tag": tag,
                "videos": len(has),
                "found": len(said),
                "precision": len(said & has) / len(said) if said else None,
                "recall": len(said & has) / len(has) if has else None,
                "correlation": _correlation(ours, theirs),
                "mean_absolute_error": float(np.mean(np.abs(np.subtract(ours, theirs)))) if kept else None,
            }
        )
    known = [row["correlation"] for row in tags if row["correlation"] is not None]
    return {
        "quarters": len(kept),
        "correlation": _correlation(ours_all, theirs_all),
        "median_correlation_of_a_tag": float(np.median(known)) if known else None,
        "mean_absolute_error": float(np.mean(np.abs(np.subtract(ours_all, theirs_all)))) if kept else None,
        "mean_share_theirs": float(np.mean(theirs_all)) if kept else None,
        "mean_share_found": float(np.mean(ours_all)) if kept else None,
        "tags": tags,
    }


def quarter(video: Video) -> str:
    """Return the quarter of publication (UTC), such as 2024-Q2."""
    return f"{video.month[:4]}-Q{(int(video.month[5:]) + 2) // 3}"


def _shares(
    having: frozenset[str], quarters: Mapping[str, str], counts: Mapping[str, int], kept: Sequence[str]
) -> list[float]:
    have = Counter(quarters[video_id] for video_id in having if video_id in quarters)
    return [have[name] / counts[name] for name in kept]


def _correlation(ours: Sequence[float], theirs: Sequence[float]) -> float | None:
    if len(ours) < 2 or not np.ptp(ours) or not np.ptp(theirs):
        return None
    return float(np.corrcoef(ours, theirs)[0, 1])


def measure(path: Path, settings: TopicSettings, arguments: argparse.Namespace) -> dict[str, Any]:
    """Return one stream's comparison."""
    videos = streams.read(path, arguments.limit)
    if path.name == Path(RECAPS).name:
        videos = recaps.tagged(videos, path, streams.data_file(ITEMS))
    topics = topics_of(videos, settings)
    tagged = [video for video in videos if video.labels]
    tune, test = ([video for video in tagged if hashed(video.video_id) % 2 == half] for half in (0, 1))
    often = Counter(label for video in tagged for label in video.labels)
    labels = sorted(label for label, count in often.items() if count >= arguments.least)
    if not labels or not tune or not test:
        raise DataError(
            f"{path.name} has no tag that {arguments.least} videos have",
            "name a stream with labels or tags, or lower --least",
        )
    true = {label: frozenset(v.video_id for v in tagged if label in v.labels) for label in labels}
    inside = frozenset(video.video_id for video in tune)
    by_topic: dict[int, set[str]] = {}
    for video_id, its in topics.items():
        for topic in its:
            by_topic.setdefault(topic, set()).add(video_id)
    fitted = {topic: frozenset(ids) & inside for topic, ids in by_topic.items()}
    found, codebook = {}, {}
    for label in labels:
        codebook[label] = chosen(true[label] & inside, fitted)
        found[label] = frozenset(video_id for topic in codebook[label] for video_id in by_topic[topic])
    texts = {video.video_id: " ".join(video.texts).lower().replace("-", " ") for video in tagged}
    named = {
        label: frozenset(video_id for video_id, text in texts.items() if label.replace("-", " ") in text)
        for label in labels
    }
    return {
        "stream": path.name,
        "videos": len(videos),
        "tagged": len(tagged),
        "topics": len(by_topic),
        "codebook": codebook,
        "ours": compare(found, true, test),
        "named in the text": compare(named, true, test),
    }


def show(result: dict[str, Any]) -> None:
    """Print one stream's comparison, and each tag's."""
    print(
        f"\n{result['stream']}: {result['tagged']} of {result['videos']} videos with tags, "
        f"{result['topics']} topics"
    )
    for name in ("ours", "named in the text"):
        about = {what: value for what, value in result[name].items() if what != "tags"}
        print(f"{name:18} " + ", ".join(f"{what} {_short(value)}" for what, value in about.items()))
    print(f"{'tag':26} {'videos':>6} {'found':>6} {'prec.':>6} {'recall':>6} {'corr.':>6} {'error':>6}")
    for row in sorted(result["ours"]["tags"], key=lambda row: -row["videos"]):
        figures = (row["precision"], row["recall"], row["correlation"], row["mean_absolute_error"])
        shown = " ".join(f"{_short(figure):>6}" for figure in figures)
        print(f"{row['tag'][:26]:26} {row['videos']:6} {row['found']:6} {shown}", flush=True)


def _short(value: Any) -> str:
    return "-" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)


def main() -> int:
    """Measure, print, write."""
    parser = labelled.parser(__doc__)
    parser.add_argument("--least", type=int, default=10, help="videos that a tag needs (10)")
    arguments = parser.parse_args()
    try:
        arguments.stream = arguments.stream or [streams.data_file(name) for name in STREAMS]
    except (BadInput, DataError) as error:
        print(f"cannot measure: {error}", file=sys.stderr)
        return 1
    return labelled.run(arguments, measure, show)


if __name__ == "__main__":
    sys.exit(main())
