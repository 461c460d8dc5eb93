"""How many alerts about topics that change does the model raise, per 50 talks, and what do they say?

    python benchmarks/topics/changes.py [--stream FILE …] [--limit N] [--lsa] [--out FILE.json]

Learns streams in order of publication with the `blank` codebook, so that every topic is born: by default some
shows, one after the other, and labelled streams. Each drift and each rise of a topic that would be an alert
is printed as people read it, with its quotes, so that anyone can judge whether it says something. Beside them
are the numbers of drifts that are in a topic's history only, since no gained words show them, and of
emergences.

`--lsa` learns latent semantic vectors instead of the packaged model's (see `names.py`): other topics, in
minutes. What is planted, and how much of it is found, is measured by `drift.py`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from agents.queries.wording import rather
from benchmarks.machine import describe
from benchmarks.topics import streams
from benchmarks.topics.names import lsa
from benchmarks.topics.unseeded import unseeded
from models.errors import BadInput
from models.languages.common_words import without_common
from models.topics import Drift, RiseEvidence, TopicSettings
from models.topics.drift.telling import telling
from streams.errors import DataError

STREAMS = (
    *(f"talks/changelog_{show}.jsonl.gz" for show in ("practicalai", "gotime", "jsparty", "friends", "news")),
    *(f"labelled/{name}.jsonl.gz" for name in ("optech_newsletter_items", "pyvideo_talk_abstracts")),
)
LIMIT = 4000
EVERY = 50
"""Talks for which alerts are counted."""


def measure(path: Path, limit: int, *, with_lsa: bool) -> dict[str, Any]:
    """Return the alerts of one stream, and their number."""
    videos = streams.read(path, limit)
    vectors = lsa(videos) if with_lsa else streams.embed(videos)
    model = unseeded(vectors[0].shape[1], TopicSettings())
    labels: dict[int, str] = {}
    told, risen, untold, emerged = [], [], 0, 0
    for at, (video, rows) in enumerate(zip(videos, vectors, strict=True)):
        outcome = model.learn(streams.batch(video, rows))
        labels |= {topic.topic_id: topic.label for topic in outcome.topics_changed}
        emerged += sum(not each.only_on for each in outcome.emergences)
        for drift in outcome.drifts:
            if drift.what == "share":
                continue
            if drift.rise:
                risen.append({"at": at, **shown_rise(drift, drift.rise, labels[drift.topic_id])})
                continue
            if (alert := shown(drift, labels[drift.topic_id])) is None:
                untold += 1
            else:
                told.append({"at": at, **alert})
    return {
        "stream": path.name,
        "videos": len(videos),
        "vectors": "lsa" if with_lsa else streams.embedder().version,
        "topics": len(model.topics()),
        "drift_alerts": len(told),
        f"drift_alerts_per_{EVERY}": round(EVERY * len(told) / len(videos), 2),
        "drifts_untold": untold,
        "rising_alerts": len(risen),
        "emergences": emerged,
        "alerts": [*told, *risen],
    }


def shown(drift: Drift, label: str) -> dict[str, Any] | None:
    """Return a drift as people read it; None if it is in the topic's history only."""
    lost, gained = (without_common(words, "en") for words in (drift.words_before, drift.words_after))
    words = telling(label, lost, gained, drift.quotes[-1].text if drift.quotes else "")
    if words is None:
        return None
    return {
        "title": f"{label} is now discussed {rather(*words)}",
        "since": drift.since.isoformat(),
        "videos": f"{drift.videos_before} videos before, {drift.videos_after} after",
        "quotes": [f"{quote.published_on}: {quote.text}" for quote in drift.quotes],
    }


def shown_rise(drift: Drift, rise: RiseEvidence, label: str) -> dict[str, Any]:
    """Return a rise as people read it."""
    return {
        "title": f"Rising: {label}",
        "since": drift.since.isoformat(),
        "videos": f"{rise.recent} of {rise.recent_of} videos from {rise.sources} sources, before that "
        f"{rise.earlier} of {rise.earlier_of}",
        "quotes": [f"{quote.published_on}: {quote.text}" for quote in drift.quotes],
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stream", type=Path, action="append", help="a stream; may come several times")
    parser.add_argument("--limit", type=int, default=LIMIT, help=f"talks of a stream at most ({LIMIT})")
    parser.add_argument("--lsa", action="store_true", help="latent semantic vectors")
    parser.add_argument("--out", type=Path, help="write the results to this file as JSON")
    given = parser.parse_args(arguments)
    results = []
    try:
        for path in given.stream or [streams.data_file(name) for name in STREAMS]:
            results.append(measure(path, given.limit, with_lsa=given.lsa))
            figures = {name: figure for name, figure in results[-1].items() if name != "alerts"}
            print(json.dumps(figures), flush=True)
            for alert in results[-1]["alerts"]:
                print(f"  {alert['since']} {alert['title']} ({alert['videos']})")
                print(*(f"      {quote}\n" for quote in alert["quotes"]), sep="", end="", flush=True)
        if given.out:
            written = {"machine": describe(), "streams": results}
            given.out.write_text(json.dumps(written, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    except (BadInput, DataError, OSError) as error:
        print(f"cannot measure: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
