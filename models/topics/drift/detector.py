"""A drift detector of river's that can be saved."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np


class Detector:
    """A river detector, and the values since it last began afresh.

    A detector's own state is private to river, so what is saved is what it has been told: telling a new
    one the same gives the same one. A list that has grown to `limit` is cut to its later half and told
    again, in running and restored detectors alike, so it stays bounded and exact.

    Args:
        make: a fresh river detector, as it is before it is told anything.
        limit: how much it is told at most before that cut; 2 or more.

    Attributes:
        told: oldest first.
    """

    def __init__(self, make: Callable[[], Any], limit: int, told: Iterable[float] = ()) -> None:
        self._make = make
        self._limit = limit
        self._begin(list(told))

    def tell(self, value: float) -> bool:
        """Whether there has been a change; if so, ask `observed` about it and then `restart`."""
        if len(self.observed) >= self._limit:
            self._begin(self.observed[len(self.observed) // 2 :])
        return self._tell(value)

    def restart(self) -> None:
        """Forget everything: what is told from now on has nothing to do with what was told before."""
        self._begin([])

    def _begin(self, values: list[float]) -> None:
        self.observed: list[float] = []
        self._river = self._make()
        for value in values:
            if self._tell(value):  # the half that is left may be what it would have called a change
                self.restart()

    def _tell(self, value: float) -> bool:
        self._river.update(value)
        self.observed.append(value)
        return bool(self._river.drift_detected)


def best_cut(values: Iterable[float], side: int = 1) -> tuple[int, float, float]:
    """Where two or more values change most, and their means before and from there.

    A detector says that there is a change but not where. It is where leaving the two means apart leaves
    least variance within.

    Args:
        side: how many values stand on either side at least, as far as there are enough.

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
