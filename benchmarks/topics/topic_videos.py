"""Videos as drift sees them, and what it says of them in one order or another."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from models.topics.drift.watch import DriftSettings, DriftWatch, Spoke
from models.topics.results import Drift

DAY = date(2025, 1, 1)
"""When simulated videos begin."""


@dataclass(frozen=True, eq=False)
class TopicVideo:
    """A video: what it says of each topic."""

    video_id: str
    published_on: date
    spoke: tuple[Spoke, ...]


def watch(stream: Sequence[TopicVideo], topics: Sequence[int], dimension: int) -> list[Drift]:
    """Return the drifts of a stream of which all topics are known from the start."""
    watched = DriftWatch(DriftSettings(), dimension)
    for topic in topics:
        watched.begin(topic)
    return [
        drift for video in stream for drift in watched.update(video.spoke, video.published_on, video.video_id)
    ]


def shuffled(stream: Sequence[TopicVideo], seed: int) -> list[TopicVideo]:
    """Return the videos in another order, on the same days."""
    order = list(stream)
    random.Random(seed).shuffle(order)
    return [replace(video, published_on=then.published_on) for video, then in zip(order, stream, strict=True)]
