"""Whether a topic's share of videos has changed, by ADWIN."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.topics.settings import TopicSettings


@dataclass(frozen=True)
class ShareChange:
    """The shares of videos with a topic before and after the change."""

    topic_id: int
    before: float
    after: float


class ShareDetector:
    """river's ADWIN over one bit a video: is the topic in it?

    ADWIN's own state is private to river, so what is kept is what ADWIN has been told since it last
    began afresh; telling a new ADWIN the same gives the same ADWIN. river begins afresh with the first
    bit after a change. A history that has grown to `drift_history` is cut to its later half and told
    again, in running and restored detectors alike, so it stays bounded and exact.
    """

    def __init__(self, settings: TopicSettings, history: Iterable[bool] = ()) -> None:
        self._settings = settings
        self._begin(history)

    def update(self, present: bool) -> tuple[float, float] | None:
        """Count a video; the shares before and after, if they have changed."""
        if len(self.history) >= self._settings.drift_history:
            self._begin(self.history[len(self.history) // 2 :])
        return self._tell(present)

    def _begin(self, history: Iterable[bool]) -> None:
        from river.drift import ADWIN

        self.history: list[bool] = []
        make: Any = ADWIN  # river is only half typed
        self._adwin = make(delta=self._settings.drift_delta, clock=self._settings.drift_clock)
        for present in history:
            self._tell(present)

    def _tell(self, present: bool) -> tuple[float, float] | None:
        if self._adwin.drift_detected:
            self.history = []
        self._adwin.update(int(present))
        self.history.append(present)
        return _shares(self.history) if self._adwin.drift_detected else None


def _shares(history: list[bool]) -> tuple[float, float]:
    """The shares on both sides of the cut that sets them apart most: that leaves least variance within.

    ADWIN itself says that there is a cut, and drops the oldest part, but not where the cut is.
    """
    bits = np.array(history, np.float64)
    sizes = np.arange(1, len(bits))
    before = bits.cumsum()[:-1] / sizes
    after = bits[::-1].cumsum()[:-1][::-1] / sizes[::-1]
    best = int((sizes * sizes[::-1] * (after - before) ** 2).argmax())
    return float(before[best]), float(after[best])


class DriftWatch:
    """One detector a topic, in the order of their ids."""

    def __init__(self, settings: TopicSettings, histories: Iterable[Iterable[bool]]) -> None:
        self._settings = settings
        self._detectors = [ShareDetector(settings, history) for history in histories]

    def add(self) -> None:
        """Watch a topic that has just been born, from this video on."""
        self._detectors.append(ShareDetector(self._settings))

    def update(self, topic_ids: Collection[int]) -> tuple[ShareChange, ...]:
        """Count a video that speaks of these topics, and of no others."""
        changes = []
        for topic_id, detector in enumerate(self._detectors, start=1):
            shares = detector.update(topic_id in topic_ids)
            if shares:
                changes.append(ShareChange(topic_id, *shares))
        return tuple(changes)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The histories one after the other, packed eight to a byte, and their lengths."""
        bits = [bit for detector in self._detectors for bit in detector.history]
        return {
            "drift_bits": np.packbits(np.array(bits, bool)),
            "drift_lengths": np.array([len(detector.history) for detector in self._detectors], np.int64),
        }

    @classmethod
    def from_arrays(cls, settings: TopicSettings, arrays: dict[str, NDArray[Any]]) -> "DriftWatch":
        """The watch that `to_arrays` described."""
        lengths = arrays["drift_lengths"]
        bits = np.unpackbits(arrays["drift_bits"], count=int(lengths.sum())).astype(bool)
        parts = np.split(bits, np.cumsum(lengths)[:-1]) if len(lengths) else []
        return cls(settings, [part.tolist() for part in parts])
