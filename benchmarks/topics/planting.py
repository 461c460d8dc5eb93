"""Streams in which it is known what is new: subjects withheld from labelled texts and let in later.

The texts are shuffled, so that nothing but what is planted begins. Dates are made up, three videos a day.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from benchmarks.topics.streams import Video
from streams.errors import DataError

Scenario = Literal["easy", "hard", "ramp", "recurring", "flood"]
SCENARIOS: tuple[Scenario, ...] = ("easy", "hard", "ramp", "recurring", "flood")
WANTED: tuple[Scenario, ...] = ("easy", "hard", "ramp")
"""In the others an alert is a mistake: the subject was there before, or one source alone speaks of it."""
SHARES = {"easy": 0.20, "hard": 0.03, "ramp": 0.15, "recurring": 0.10, "flood": 0.20}
"""Of the videos from the onset on; in a ramp it is reached at the end, from nothing."""

VIDEOS = 1000
"""In a stream, before anything is planted."""
LEAST = {"easy": 25, "hard": 20, "ramp": 25, "recurring": 25, "flood": 25}
"""Texts that a label needs to be planted."""
SOURCES = 24
"""Made-up channels, the largest with a seventh of the videos, where the texts have no sources."""
BEGIN = datetime(2020, 1, 1, tzinfo=UTC)
A_DAY = 3


@dataclass(frozen=True)
class Planted:
    """A subject that begins at the video of this position."""

    scenario: Scenario
    label: str
    onset: int


@dataclass(frozen=True, eq=False)
class Stream:
    """Videos with their embeddings, in order, and what was planted among them; nothing in a null stream."""

    name: str
    seed: int
    videos: tuple[Video, ...]
    vectors: tuple[NDArray[np.float32], ...]
    planted: tuple[Planted, ...]

    def labels(self) -> dict[str, str | None]:
        """Each video's label."""
        return {video.video_id: video.label for video in self.videos}


class Garden:
    """The labelled texts of a file, from which streams are made.

    Raises:
        DataError: no text has a label.
    """

    def __init__(
        self, name: str, videos: Sequence[Video], vectors: Sequence[NDArray[np.float32]], size: int = VIDEOS
    ) -> None:
        self.name, self._size = name, size
        pairs = [(video, rows) for video, rows in zip(videos, vectors, strict=True) if video.label]
        self._videos = [video for video, _ in pairs]
        self._vectors = [rows for _, rows in pairs]
        if not pairs:
            raise DataError(f"{name} has no labels", "name a stream whose records have a label")
        means = np.array([rows.mean(axis=0) for rows in self._vectors])
        means -= means.mean(axis=0)
        main = np.array([video.label for video in self._videos])
        counts = Counter(main.tolist())
        most = len(self._videos) // 12  # a label of more texts is no subject that could begin
        self.labels = sorted(label for label, count in counts.items() if min(LEAST.values()) <= count <= most)
        self.counts = counts
        centres = np.array([means[main == label].mean(axis=0) for label in self.labels]).reshape(
            -1, means.shape[1]
        )
        centres /= np.linalg.norm(centres, axis=1, keepdims=True)
        self._alike = centres @ centres.T - 2 * np.eye(len(centres))
        self.sourced = len({video.source for video in self._videos}) <= len(self._videos) / 4

    def null(self, seed: int) -> Stream:
        """A stream in which nothing begins."""
        chance = np.random.default_rng([seed, 1])
        order = chance.permutation(len(self._videos))[: self._size].tolist()
        return self._stream(seed, order, [], {}, chance)

    def planted(self, seed: int) -> Stream:
        """A stream with a subject of each scenario, where there are labels enough."""
        chance = np.random.default_rng([seed, 2])
        chosen = self._choose(chance)
        out = set(chosen.values())
        base = [at for at, video in enumerate(self._videos) if out.isdisjoint({video.label, *video.labels})]
        order = chance.permutation(base)[: self._size].tolist()
        half, places, planted = len(order) // 2, {}, []
        for scenario, label in chosen.items():
            own = [at for at, video in enumerate(self._videos) if video.label == label]
            own = chance.permutation(own).tolist()
            onset = int(half + chance.integers(0, max(len(order) // 8, 1)))
            if scenario == "recurring":
                first, own = own[: len(own) // 2], own[len(own) // 2 :]
                quarter = np.sort(chance.permutation(len(order) // 4)[: len(first)]).tolist()
                places.update(dict(zip(first, quarter, strict=False)))
            share, ends = SHARES[scenario], len(order)
            for position in range(onset, ends):
                grown = (position - onset) / (ends - onset) if scenario == "ramp" else 1.0
                if own and chance.random() < share * grown:
                    places[own.pop()] = position
            planted.append((scenario, label, onset))
        return self._stream(seed, order, planted, places, chance)

    def _choose(self, chance: np.random.Generator) -> dict[Scenario, str]:
        """A label for each scenario: for `easy` one unlike all others, for `hard` one like another."""
        nearest = self._alike.max(axis=1)
        low, high = np.percentile(nearest, [35, 65]) if len(nearest) else (0.0, 0.0)
        chosen: dict[Scenario, str] = {}
        for scenario in SCENARIOS:
            fit = [
                label
                for label, near in zip(self.labels, nearest.tolist(), strict=True)
                if self.counts[label] >= LEAST[scenario]
                and label not in chosen.values()
                and (scenario != "easy" or near <= low)
                and (scenario != "hard" or near >= high)
            ]
            if fit:
                chosen[scenario] = fit[int(chance.integers(len(fit)))]
        return chosen

    def _stream(
        self,
        seed: int,
        order: list[int],
        planted: Sequence[tuple[Scenario, str, int]],
        places: dict[int, int],
        chance: np.random.Generator,
    ) -> Stream:
        among = sorted(
            [(position, 1, at) for position, at in enumerate(order)]
            + [(position, 0, at) for at, position in places.items()]
        )
        rows = [at for _, _, at in among]
        flooded = {label for scenario, label, _ in planted if scenario == "flood"}
        weights = 1.0 / np.arange(2, SOURCES + 2)
        given = chance.choice(SOURCES, len(rows), p=weights / weights.sum())
        videos = []
        for number, (at, source) in enumerate(zip(rows, given.tolist(), strict=True)):
            video = self._videos[at]
            name = video.source if self.sourced else f"channel {source}"
            videos.append(
                replace(
                    video,
                    source="channel 5" if video.label in flooded else name,
                    published_at=BEGIN + timedelta(days=number // A_DAY),
                )
            )
        begins = [position for position, _, _ in among]
        return Stream(
            name=self.name,
            seed=seed,
            videos=tuple(videos),
            vectors=tuple(self._vectors[at] for at in rows),
            planted=tuple(
                Planted(scenario, label, int(np.searchsorted(begins, onset)))
                for scenario, label, onset in planted
            ),
        )
