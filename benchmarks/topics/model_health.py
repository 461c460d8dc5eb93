"""Detection of changes in the model's health where they were planted, and only there."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.topics import streams
from benchmarks.topics.topic_videos import DAY
from models.topics.drift.health import HealthSettings, HealthWatch
from models.topics.online.centring import unit


def health(
    videos: Sequence[streams.Video], rows: NDArray[np.float64], topics: NDArray[np.int64]
) -> dict[str, Any]:
    """Measure simulated outlier rates, and the stream's own distances to its clusters."""
    chance = np.random.default_rng(0)
    titles = [(int(chance.random() < 0.12), 1) for _ in range(40_000)]
    talks = [(int(chance.binomial(40, chance.beta(2, 8))), 40) for _ in range(40_000)]
    delays_titles, delays_talks = [], []
    for _ in range(20):
        before = [(int(chance.random() < 0.12), 1) for _ in range(600)]
        after = [(int(chance.random() < 0.20), 1) for _ in range(1500)]
        delays_titles.append(_delay(before, after))
        before = [(int(chance.binomial(40, chance.beta(2, 8))), 40) for _ in range(150)]
        after = [(int(chance.binomial(40, chance.beta(3.2, 6.8))), 40) for _ in range(300)]
        delays_talks.append(_delay(before, after))
    centred = unit(rows - rows.mean(axis=0))
    centres = np.array([centred[topics == topic].mean(axis=0) for topic in range(1, topics.max() + 1)])
    novelty = np.split(
        1.0 - (centred @ unit(centres).T).max(axis=1), np.cumsum([len(v.texts) for v in videos])[:-1]
    )
    far = float(np.quantile(np.concatenate(novelty), 0.88))
    order = list(range(len(videos)))
    random.Random(0).shuffle(order)
    runs = {}
    for name, positions in (("own_order", range(len(videos))), ("shuffled", order)):
        watched = HealthWatch(HealthSettings())
        runs[name] = [
            {**asdict(change), "since": change.since.isoformat()}
            for position in positions
            for change in watched.update(
                int((novelty[position] > far).sum()),
                len(novelty[position]),
                novelty[position],
                videos[position].published_at.astimezone(UTC).date(),
                videos[position].video_id,
            )
        ]
    return {
        "false_alarms_per_10000_videos_of_one_paragraph": len(_outlier_alarms(titles)) / 4,
        "false_alarms_per_10000_talks": len(_outlier_alarms(talks)) / 4,
        "12 % to 20 % of single paragraphs": _delays(delays_titles),
        "20 % to 32 % of talks (one standard deviation)": _delays(delays_talks),
        "stream": runs,
    }


def _outlier_alarms(counts: Sequence[tuple[int, int]]) -> list[int]:
    watched = HealthWatch(HealthSettings())
    return [
        position
        for position, (unassigned, paragraphs) in enumerate(counts)
        if watched.update(unassigned, paragraphs, np.full(paragraphs, 0.5), DAY, str(position))
    ]


def _delay(before: list[tuple[int, int]], after: list[tuple[int, int]]) -> int | None:
    return next((p - len(before) for p in _outlier_alarms([*before, *after]) if p >= len(before)), None)


def _delays(delays: Sequence[int | None]) -> dict[str, Any]:
    found = [delay for delay in delays if delay is not None]
    return {
        "found": len(found) / len(delays),
        "median_videos_to_alarm": float(np.median(found)) if found else None,
    }
