"""Serialisable wrapper of river's drift detectors."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np


class Detector:
    """A river detector, and the values since it was last restarted.

    A detector's state is private to river, so the values are stored instead: replaying them in a new detector
    restores the same state. A list that has grown to `limit` is cut to its later half and replayed, in
    running and restored detectors alike, so it stays bounded and exact.

    Args:
        make: creates a river detector without values.
        limit: number of values at which the list is cut; 2 or more.
        told: values to replay, oldest first.
    """

    def __init__(self, make: Callable[[], Any], limit: int, told: Iterable[float] = ()) -> None:
        self._make = make
        self._limit = limit
        self._begin(list(told))

    def tell(self, value: float) -> bool:
        """Add a value and return whether a change is detected; then read `observed` and call `restart`."""
        if len(self.observed) >= self._limit:
            self._begin(self.observed[len(self.observed) // 2 :])
        return self._tell(value)

    def restart(self) -> None:
        """Forget all values and start with a new detector."""
        self._begin([])

    def _begin(self, values: list[float]) -> None:
        self.observed: list[float] = []
        self._river = self._make()
        for value in values:
            if self._tell(value):  # the half that is left may register as a change itself
                self.restart()

    def _tell(self, value: float) -> bool:
        self._river.update(value)
        self.observed.append(value)
        return bool(self._river.drift_detected)


def best_cut(values: Iterable[float], side: int = 1) -> tuple[int, float, float]:
    """Return the index at which two or more values change most, and the means before and from there.

    A detector reports a change but not its place. The best cut minimises the variance within both parts.

    Args:
        side: minimum number of values on either side, as far as there are enough.

    Example:
        >>> best_cut([0, 0, 1, 0, 0, 0, 1, 1])
        (6, 0.16666666666666666, 1.0)
        >>> best_cut([0, 0, 1, 0, 0, 0, 1, 1], side=4)
        (4, 0.25, 0.5)
    """
    array = np.array(list(values), np.float64)
    side = min(side, len(array) // 2)
    sizes = np.arange(1, len(array))
    before = array.cumsum()[:-1] / sizes
    after = array[::-1].cumsum()[:-1][::-1] / sizes[::-1]
    gain = sizes * sizes[::-1] * (after - before) ** 2
    best = side - 1 + int(gain[side - 1 : len(array) - side].argmax())
    return best + 1, float(before[best]), float(after[best])
