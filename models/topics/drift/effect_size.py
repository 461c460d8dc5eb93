"""Effect sizes with 95 % confidence bounds: how much a topic's words and centre changed, whatever the unit.

A test of significance finds any change if there are talks enough. Whether it matters is its size: the lower
bound of its confidence interval has to be more than a medium effect (Murphy and Myors 1999, minimum-effect
tests; Cohen 1988 for what is medium).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.stats.trend import Z_95

Array = NDArray[np.float64]

MEDIUM, LARGE = 0.5, 0.8
"""Cohen's conventions of a medium and a large effect, of proportions (h) and of means (d) alike."""


def proportions(before: Array, videos_before: int, after: Array, videos_after: int) -> Array:
    """Return Cohen's h of each word's shares of videos, positive if it rose, towards 0 to its 95 % bound.

    h is the difference of arcsine-transformed shares, whose variance depends on the numbers of videos alone.

    Args:
        before, after: float64 [v], videos with the word.

    >>> proportions(np.array([2.0, 20.0]), 40, np.array([15.0, 12.0]), 24).round(2)
    array([0.87, 0.  ])
    """
    h = 2 * (np.arcsin(np.sqrt(after / videos_after)) - np.arcsin(np.sqrt(before / videos_before)))
    return _bound(h, np.sqrt(1 / videos_before + 1 / videos_after))


def means(videos: Array, cut: int) -> float:
    """Return Glass's delta of the videos from `cut` on, less the half of its 95 % interval; 0 or more.

    The videos are projected on the line from the earlier mean to the later one, and their means compared in
    standard deviations of the earlier ones, since a change may make the later ones more varied. A video is
    left out of the mean that it is compared with, so that chance gives 0.

    Args:
        videos: float64 [n, d], oldest first; two or more on either side.
    """
    before, after = videos[:cut], videos[cut:]
    n, m = len(before), len(after)
    gap = after.mean(axis=0) - before.mean(axis=0)
    # Without itself, a video's own mean is (n * mean - video) / (n - 1), and the gap changes accordingly.
    left_before = gap + (before - before.mean(axis=0)) / (n - 1)
    left_after = gap - (after - after.mean(axis=0)) / (m - 1)
    origin = (before.mean(axis=0) + after.mean(axis=0)) / 2
    earlier = _projected(before - origin, left_before)
    later = _projected(after - origin, left_after)
    spread = float(earlier.std(ddof=1))
    if not spread:
        return 0.0
    delta = float(later.mean() - earlier.mean()) / spread
    error = np.sqrt(1 / n + later.var(ddof=1) / spread**2 / m + delta**2 / (2 * (n - 1)))
    return max(0.0, float(_bound(np.array([delta]), error)[0]))


def _projected(videos: Array, directions: Array) -> Array:
    lengths = np.maximum(np.linalg.norm(directions, axis=1), 1e-12)
    return np.asarray((videos * directions).sum(axis=1) / lengths)


def _bound(effect: Array, error: float | np.floating) -> Array:
    """Return the bound of each effect's 95 % interval that is nearer to 0; 0 if the interval contains 0."""
    return np.asarray(np.sign(effect) * np.maximum(np.abs(effect) - Z_95 * error, 0.0))
