"""Detection of changes of a topic's share of videos."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from models.topics.drift.detector import Detector, best_cut
from models.topics.drift.settings import DriftSettings


@dataclass(frozen=True)
class ShareChange:
    """Shares of videos with a topic before and after a change, and the numbers of videos behind them."""

    before: float
    after: float
    videos_before: int
    videos_after: int


class ShareDetector:
    """river's ADWIN over one bit per video: whether it mentions the topic.

    Attributes:
        history: the bits since the last change, oldest first.
    """

    def __init__(self, settings: DriftSettings, history: Iterable[bool] = ()) -> None:
        def adwin() -> Any:
            from river.drift import ADWIN

            make: Any = ADWIN  # river is only half typed
            return make(delta=settings.delta, clock=settings.clock, min_window_length=settings.side)

        self._side = settings.side
        self._detector = Detector(adwin, settings.history, map(int, history))

    @property
    def history(self) -> list[bool]:
        """The bits since the last change, as a copy."""
        return [bool(bit) for bit in self._detector.observed]

    def update(self, present: bool) -> ShareChange | None:
        """Add a video; return the change, if any."""
        if not self._detector.tell(int(present)):
            return None
        cut, before, after = best_cut(self._detector.observed, self._side)
        change = ShareChange(before, after, cut, len(self._detector.observed) - cut)
        self._detector.restart()
        return change
