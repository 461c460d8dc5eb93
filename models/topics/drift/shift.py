"""Permutation test whether the latest videos differ from those before them by more than chance."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.topics.drift.detector import Detector
from models.topics.drift.settings import DriftSettings

Array = NDArray[np.float64]
Counts = NDArray[np.float32]
"""Whole numbers below 2 ** 24, which float32 represents and adds exactly."""


class SplitSums(NamedTuple):
    """Videos split in two, in c ways: the sum over the videos of each part, and their number.

    Attributes:
        before, after: float32 [c, v].
        videos_before, videos_after: float32 [c].
    """

    before: Counts
    after: Counts
    videos_before: Counts
    videos_after: Counts


Measure = Callable[[SplitSums], Array]
"""Distance of the two parts for each split: float64 [c]."""


@dataclass(frozen=True)
class DetectedShift:
    """A change between two of the videos.

    Attributes:
        cut: videos before it.
        distance: distance of the two sides, less the mean distance of random splits; 0 or more.
        beyond: its evidence in standard deviations above that of the best cut of the videos in random order.
    """

    cut: int
    distance: float
    beyond: float


class ShiftDetector:
    """A permutation test of the latest videos against the earlier ones, accumulated by river's Page-Hinkley.

    Random splits of the videos give the distribution of `evidence` under the null hypothesis, which accounts
    for the number of videos and their variance. The evidence of the latest videos is compared with it (in its
    standard deviations), and Page-Hinkley detects a lasting excess. The sums are of small whole numbers and
    therefore exact, in whatever order or number of threads they are added.

    Args:
        evidence: the test statistic, 0 or more; under the null it should not depend on the sizes of the
            parts.
        distance: the distance that is reported.
        told: values to replay in Page-Hinkley: `observed` of the detector that is restored.
    """

    def __init__(
        self, settings: DriftSettings, evidence: Measure, distance: Measure, told: Iterable[float] = ()
    ) -> None:
        def page_hinkley() -> Any:
            from river.drift import PageHinkley

            detector: Any = PageHinkley(
                min_instances=1,
                delta=settings.allowance,
                threshold=settings.threshold,
                alpha=1.0,
                mode="up",
            )
            for _ in range(settings.prior):
                detector.update(0.0)
            return detector

        self._settings = settings
        self._evidence = evidence
        self._distance = distance
        self._detector = Detector(page_hinkley, settings.told, told)

    @property
    def observed(self) -> list[float]:
        """Standard deviations above the null since the last change, one per video."""
        return self._detector.observed

    def update(self, videos: Counts) -> DetectedShift | None:
        """Test the videos after one was added; return the change, if any.

        Args:
            videos: float32 [n, v], whole numbers from -127 to 127; oldest first. After a shift, the next call
                has those after its cut and the new one.
        """
        s, n = self._settings, len(videos)
        smallest = min(s.latest)
        if n < 2 * smallest:
            return None
        windows = tuple(latest for latest in s.latest if n - latest >= smallest)
        beyond = float(_beyond_chance(self._evidence(_parted(videos, windows, s.splits)), len(windows)).max())
        if not self._detector.tell(min(beyond, s.cap)):
            return None
        self._detector.restart()
        return self._shift(videos)

    def _shift(self, videos: Counts) -> DetectedShift:
        """Return the cut with most evidence."""
        s, n = self._settings, len(videos)
        evidence = self._of_cuts(videos)
        cut = s.side + int(evidence.argmax())
        real, *random = self._distance(_parted(videos, (n - cut,), s.splits))
        best = [evidence.max(), *(self._of_cuts(videos[order]).max() for order in _orders(n, s.splits))]
        beyond = float(_beyond_chance(np.array(best), 1)[0])
        return DetectedShift(cut, max(float(real - np.mean(random)), 0.0), beyond)

    def _of_cuts(self, videos: Counts) -> Array:
        """Return the evidence of each cut that leaves `side` videos on either side: float64 [cuts]."""
        cuts = np.arange(self._settings.side, len(videos) - self._settings.side + 1)
        sums = videos.cumsum(axis=0)
        before, sizes = sums[cuts - 1], cuts.astype(np.float32)
        return self._evidence(SplitSums(before, sums[-1] - before, sizes, len(videos) - sizes))


def _beyond_chance(evidence: Array, windows: int) -> Array:
    """Return the z-score of each window's real split against the random ones: float64 [windows].

    It uses the cube root, since evidence is roughly a sum of squares, whose cube root is nearly normal for
    few terms already (Wilson and Hilferty 1931); the sum itself would often exceed its mean by far by chance.

    Args:
        evidence: of each split in `_parted`.
    """
    per_window = np.cbrt(evidence).reshape(windows, -1)
    random = per_window[:, 1:]
    spread = random.std(axis=1)
    return np.asarray((per_window[:, 0] - random.mean(axis=1)) / np.where(spread > 0, spread, np.inf))


def _parted(videos: Counts, windows: tuple[int, ...], splits: int) -> SplitSums:
    """Return for each window the split into latest and other videos, then random splits of the same sizes."""
    ways = np.vstack([_ways(len(videos), latest, splits) for latest in windows])
    after = ways @ videos
    sizes = ways.sum(axis=1)
    return SplitSums(videos.sum(axis=0) - after, after, len(videos) - sizes, sizes)


@lru_cache(maxsize=512)
def _ways(videos: int, latest: int, splits: int) -> Counts:
    """Return float32 [1 + splits, videos]: 1 for each video of the later part. Deterministic."""
    random = np.random.default_rng([videos, latest]).random((splits, videos)).argsort(axis=1) < latest
    return np.vstack([np.arange(videos) >= videos - latest, random]).astype(np.float32)


@lru_cache(maxsize=128)
def _orders(videos: int, orders: int) -> NDArray[np.intp]:
    """Return intp [orders, videos]: random orders of the videos. Deterministic."""
    return np.random.default_rng([videos, orders]).random((orders, videos)).argsort(axis=1)
