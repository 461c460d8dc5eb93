"""Scores of alerts on planted topics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.topics.baselines import Alert
from benchmarks.topics.planting import WANTED, Stream

ABOUT = 0.5
"""An alert is about a label that this share of its videos has."""


@dataclass
class Score:
    """Alerts of one detector on streams of one file, counted.

    Attributes:
        planted, found: by scenario. In `recurring` and `flood`, found is a mistake.
        delays: by scenario, videos of the subject until its alert, that one included.
        duplicates: alerts for a subject after its first.
        false: other alerts; `false_null` those in null streams.
        examples: of other alerts.
    """

    planted: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    delays: dict[str, list[int]] = field(default_factory=dict)
    duplicates: int = 0
    false: int = 0
    videos: int = 0
    false_null: int = 0
    videos_null: int = 0
    examples: list[str] = field(default_factory=list)

    def count(self, stream: Stream, alerts: Sequence[Alert]) -> None:
        """Count a stream's alerts."""
        labels = stream.labels()
        if not stream.planted:
            self.videos_null += len(stream.videos)
            self.false_null += len(alerts)
        else:
            self.videos += len(stream.videos)
        scenario_of = {planted.label: planted for planted in stream.planted}
        self.planted.update(planted.scenario for planted in stream.planted)
        told: set[str] = set()
        for alert in alerts:
            label = _about(alert.video_ids, labels)
            planted = scenario_of.get(label or "")
            if planted is None or alert.at < planted.onset:
                self.false += bool(stream.planted)
                kind = "planted" if stream.planted else "null"
                self.examples.append(
                    f"{kind} stream {stream.seed}, video {alert.at}: {alert.subject} ({alert.evidence})"
                )
                continue
            if planted.label in told:
                self.duplicates += 1
                continue
            told.add(planted.label)
            self.found[planted.scenario] += 1
            heard = stream.videos[planted.onset : alert.at + 1]
            spoken = sum(video.label == planted.label for video in heard)
            self.delays.setdefault(planted.scenario, []).append(spoken)

    def report(self) -> dict[str, Any]:
        """The figures."""
        wanted = sum(self.planted[scenario] for scenario in WANTED)
        right = sum(self.found[scenario] for scenario in WANTED)
        wrong = self.false + self.found["recurring"] + self.found["flood"]
        delays = [delay for scenario in WANTED for delay in self.delays.get(scenario, ())]
        return {
            "recall": _part(right, wanted),
            "precision": _part(right, right + wrong),
            "false_per_10k": _part(10_000 * self.false, self.videos),
            "null_per_10k": _part(10_000 * self.false_null, self.videos_null),
            "duplicates_per_found": _part(self.duplicates, right),
            "videos_to_alert": float(np.median(delays)) if delays else None,
            "scenarios": {
                scenario: {
                    "planted": self.planted[scenario],
                    "alerted": self.found[scenario],
                    "share": _part(self.found[scenario], self.planted[scenario]),
                    "videos_to_alert": _median(self.delays.get(scenario, ())),
                }
                for scenario in sorted(self.planted)
            },
            "streams_videos": self.videos,
            "null_videos": self.videos_null,
            "other_alerts": self.examples[:20],
        }


def _about(video_ids: Iterable[str], labels: dict[str, str | None]) -> str | None:
    counts = Counter(labels[video_id] for video_id in video_ids if video_id in labels)
    if not counts:
        return None
    label, most = max(counts.items(), key=lambda pair: (pair[1], str(pair[0])))
    return label if most >= ABOUT * sum(counts.values()) else None


def _median(delays: Sequence[int]) -> float | None:
    return float(np.median(delays)) if delays else None


def _part(count: float, of: float) -> float | None:
    return round(count / of, 4) if of else None
