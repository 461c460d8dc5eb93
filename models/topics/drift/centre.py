"""Detection of a shift of a topic's centroid among all embeddings."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.topics.drift import effect_size
from models.topics.drift.settings import DriftSettings
from models.topics.drift.shift import Array, ShiftDetector, SplitSums
from models.topics.online.centring import Vectors, unit

STEPS = 127
"""Quantisation steps of a unit vector's components; the sums of whole numbers are exact."""


@dataclass(frozen=True)
class CentreChange:
    """A shift of a topic's centroid.

    Attributes:
        distance: cosine distance of the means of the videos before and after, beyond that of chance.
        beyond: see `DetectedShift`.
        size: effect size of the shift (Glass's delta), less the half of its 95 % interval.
    """

    distance: float
    beyond: float
    size: float
    videos_before: int
    videos_after: int
    since: int


class Centre:
    """One topic's latest videos, each as the mean of its paragraphs.

    Attributes:
        videos: int8 [n, d].
        days: each video's day of publication, as an ordinal.
    """

    def __init__(
        self,
        settings: DriftSettings,
        dimension: int,
        videos: NDArray[np.int8] | None = None,
        days: Iterable[int] = (),
        told: Iterable[float] = (),
    ) -> None:
        self.videos = np.zeros((0, dimension), np.int8) if videos is None else videos
        self.days = list(days)
        self._settings = settings
        self._detector = ShiftDetector(settings, _evidence, _distance, told)

    @property
    def observed(self) -> list[float]:
        """See `ShiftDetector.observed`."""
        return self._detector.observed

    def update(self, vectors: Vectors, day: int) -> CentreChange | None:
        """Add a video with its paragraphs of the topic, float64 [m, d]; return the change, if any.

        The next call does not remember the change.
        """
        video = np.rint(unit(vectors.mean(axis=0)) * STEPS).astype(np.int8)
        self.videos = np.vstack([self.videos, video])[-self._settings.memory :]
        self.days = [*self.days, day][-self._settings.memory :]
        shift = self._detector.update(self.videos.astype(np.float32))
        if shift is None:
            return None
        after = len(self.videos) - shift.cut
        size = effect_size.means(self.videos.astype(np.float64), shift.cut)
        return CentreChange(shift.distance, shift.beyond, size, shift.cut, after, self.days[shift.cut])

    def forget(self, after: int) -> None:
        """Keep only so many latest videos."""
        self.videos, self.days = self.videos[-after:].copy(), self.days[-after:]


def _evidence(parts: SplitSums) -> Array:
    """Return the squared distance of the two means, scaled by the sizes to be comparable across cuts."""
    before, after = parts.videos_before, parts.videos_after
    gap = parts.after / after[:, None] - parts.before / before[:, None]
    return np.asarray((gap * gap).sum(axis=1) * before * after / (before + after), np.float64)


def _distance(parts: SplitSums) -> Array:
    before, after = unit(parts.before.astype(np.float64)), unit(parts.after.astype(np.float64))
    return np.asarray(1.0 - (before * after).sum(axis=1))
