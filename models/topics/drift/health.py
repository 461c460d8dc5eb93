"""Detection of a change in the fit of the model as a whole."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from models.errors import BadInput
from models.topics.drift.detector import Detector, best_cut
from models.topics.results import HealthChange


@dataclass(frozen=True)
class HealthSettings:
    """Thresholds for a change of the model's fit.

    In 100,000 simulated videos of one paragraph and 100,000 of many, these gave 6 false alarms in total. They
    detected an outlier rate rising from 12 % to 20 % after 230 to 350 videos of one paragraph, and a change
    by one standard deviation after 50 to 65 talks (medians of 40 and of 20 runs).
    """

    threshold: float = 50.0
    """Page-Hinkley's lambda, in standard deviations of a video's value …"""

    allowance: float = 0.06
    """… and its delta."""

    settle: int = 50
    """Videos from which that standard deviation is estimated, at the start and after every change."""

    least_spread: float = 0.02
    """Lower bound of that standard deviation."""

    history: int = 4096
    """Maximum number of stored videos; when full, the detector restarts with the later half."""

    def __post_init__(self) -> None:
        if not 2 <= self.settle <= self.history // 2:
            raise BadInput(
                f"settle {self.settle} and history {self.history} do not fit together",
                "set settle between 2 and half of history",
            )


class _Gauge:
    """One value per video, in [0, 1], monitored by river's Page-Hinkley test in its own standard deviations.

    Page-Hinkley's thresholds are in the units of its values. The outlier rate of a title is 0 or 1 and that
    of a talk hardly varies, so one threshold suits both only if values are scaled by their spread.
    """

    def __init__(self, settings: HealthSettings, values: Iterable[float] = ()) -> None:
        self._settings = settings
        self._begin(list(values))

    def update(self, value: float) -> tuple[int, float, float] | None:
        """Add a value; after a change, return the videos since then and the means before and after it."""
        if len(self.values) >= self._settings.history:
            self._begin(self.values[len(self.values) // 2 :])
        if not self._tell(value):
            return None
        cut, before, after = best_cut(self.values)
        since = len(self.values) - cut
        self._begin([])
        return since, before, after

    def _begin(self, values: list[float]) -> None:
        self.values: list[float] = []
        self._detector: Detector | None = None
        self._spread = 1.0
        for value in values:
            if self._tell(value):
                self._begin([])

    def _tell(self, value: float) -> bool:
        self.values.append(value)
        if self._detector is not None:
            return self._detector.tell(value / self._spread)
        if len(self.values) < self._settings.settle:
            return False
        self._spread = max(float(np.std(self.values)), self._settings.least_spread)
        # Only `update` cuts the list, never the detector: so `values` can be replayed from the start.
        self._detector = Detector(self._page_hinkley, self._settings.history + 1)
        changes = [self._detector.tell(each / self._spread) for each in self.values]
        return any(changes)

    def _page_hinkley(self) -> Any:
        from river.drift import PageHinkley

        s = self._settings
        return PageHinkley(min_instances=1, delta=s.allowance, threshold=s.threshold, alpha=1.0, mode="both")


class HealthWatch:
    """Outlier rate and novelty by video: a talk of a hundred paragraphs counts once."""

    def __init__(
        self,
        settings: HealthSettings,
        days: Iterable[int] = (),
        outliers: Iterable[float] = (),
        novelty: Iterable[float] = (),
    ) -> None:
        self._days: deque[int] = deque(days, maxlen=settings.history)
        self._gauges = {"outliers": _Gauge(settings, outliers), "novelty": _Gauge(settings, novelty)}

    def update(
        self,
        unassigned: int,
        paragraphs: int,
        novelty: NDArray[np.float64],
        published_on: date,
        batch_id: str,
    ) -> tuple[HealthChange, ...]:
        """Add one video and return the changes.

        Args:
            unassigned: number of its paragraphs without a topic.
            novelty: float64 [paragraphs], 1 - highest cosine of each.

        Raises:
            BadInput: the numbers are inconsistent; the video is not added.
        """
        if not 0 <= unassigned <= paragraphs or not paragraphs or novelty.shape != (paragraphs,):
            raise BadInput(
                f"{unassigned} of {paragraphs} paragraphs do not fit novelty {list(novelty.shape)}",
                "count the paragraphs that the model has learned, and give each one a novelty",
            )
        self._days.append(published_on.toordinal())
        changes = []
        told: tuple[tuple[Literal["outliers", "novelty"], float], ...] = (
            ("outliers", unassigned / paragraphs),
            ("novelty", float(novelty.mean())),
        )
        for what, value in told:
            change = self._gauges[what].update(value)
            if change:
                since, before, after = change
                first = date.fromordinal(self._days[-since])
                changes.append(HealthChange(what, before, after, first, batch_id))
        return tuple(changes)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return the values since the last changes."""
        return {
            "health_days": np.array(self._days, np.int32),
            **{f"health_{what}": np.array(gauge.values) for what, gauge in self._gauges.items()},
        }

    @classmethod
    def from_arrays(cls, settings: HealthSettings, arrays: dict[str, NDArray[Any]]) -> "HealthWatch":
        """Return the watch that `to_arrays` stored."""
        parts = (arrays[f"health_{name}"].tolist() for name in ("days", "outliers", "novelty"))
        return cls(settings, *parts)
