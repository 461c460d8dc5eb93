"""Tests whether the latest videos differ from those before them by more than chance."""

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
"""Whole numbers below 2 ** 24, which float32 holds and adds up exactly."""


class SplitSums(NamedTuple):
    """Videos parted in two, in c ways: what the videos of each part add up to, and how many they are.

    Attributes:
        before, after: float32 [c, v].
        videos_before, videos_after: float32 [c].
    """

    before: Counts
    after: Counts
    videos_before: Counts
    videos_after: Counts


Measure = Callable[[SplitSums], Array]
"""How far apart the two parts are, for each way: float64 [c]."""


@dataclass(frozen=True)
class DetectedShift:
    """A change between two of the videos.

    Attributes:
        cut: videos before it.
        distance: how far apart the two sides are, less how far chance alone puts such sides apart; 0 or more.
    """

    cut: int
    distance: float


class ShiftDetector:
    """A permutation test of the latest videos against the earlier ones, added up by river's Page-Hinkley.

    The videos are parted at random many times, which shows what `evidence` is if nothing has changed:
    that knows how many the videos are, how much they vary and in how many ways. What the latest videos
    show is compared with it (in its standard deviations), and Page-Hinkley waits until that has
    been too much for long enough. The sums it compares are of small whole numbers and so are exact,
    whatever the order or the number of threads they are added up in.

    Args:
        evidence: what is tested, 0 or more; if nothing has changed, the sizes of the parts should not matter.
        distance: what is reported.
        told: what Page-Hinkley was told, from `told` of the detector that is restored.
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
        """Standard deviations beyond chance, a video each, since the last change."""
        return self._detector.observed

    def update(self, videos: Counts) -> DetectedShift | None:
        """Look at the videos again, now that there is one more.

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
        """The cut with most evidence."""
        s, n = self._settings, len(videos)
        cuts = np.arange(s.side, n - s.side + 1)
        sums = videos.cumsum(axis=0)
        before, sizes = sums[cuts - 1], cuts.astype(np.float32)
        cut = int(cuts[self._evidence(SplitSums(before, sums[-1] - before, sizes, n - sizes)).argmax()])
        real, *random = self._distance(_parted(videos, (n - cut,), s.splits))
        return DetectedShift(cut, max(float(real - np.mean(random)), 0.0))


def _beyond_chance(evidence: Array, windows: int) -> Array:
    """How many standard deviations the real split of each window is above the random ones: float64 [windows].

    Of its cube root: evidence is a sum of squares, more or less, whose cube root is nearly normal however few
    they are (Wilson and Hilferty 1931), and which itself would often be far above its mean by chance.

    Args:
        evidence: of each way in `_parted`.
    """
    per_window = np.cbrt(evidence).reshape(windows, -1)
    random = per_window[:, 1:]
    spread = random.std(axis=1)
    return np.asarray((per_window[:, 0] - random.mean(axis=1)) / np.where(spread > 0, spread, np.inf))


def _parted(videos: Counts, windows: tuple[int, ...], splits: int) -> SplitSums:
    """For each window: the latest videos and the others, and then random splits of the same sizes."""
    ways = np.vstack([_ways(len(videos), latest, splits) for latest in windows])
    after = ways @ videos
    sizes = ways.sum(axis=1)
    return SplitSums(videos.sum(axis=0) - after, after, len(videos) - sizes, sizes)


@lru_cache(maxsize=512)
def _ways(videos: int, latest: int, splits: int) -> Counts:
    """Float32 [1 + splits, videos]: 1 for each video of the later part. The splits are always the same."""
    random = np.random.default_rng([videos, latest]).random((splits, videos)).argsort(axis=1) < latest
    return np.vstack([np.arange(videos) >= videos - latest, random]).astype(np.float32)
