"""Schedule of consolidations, from the learned videos alone, never from the clock."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.topics.settings import TopicSettings

_MONTHS = 24
"""Maximum number of future months that are counted at a time: dates in the far future are errors."""


class ConsolidationSchedule:
    """Counts of paragraphs, and of the videos of future months.

    First come early consolidations, at `next_look` paragraphs and at each doubling, until the bootstrap. From
    then on one is due when a month of publication has begun, which takes `month_videos` videos (a single one
    may have a wrong date), and enough has been learned since the last one.

    Attributes:
        learned: number of learned paragraphs.
        looked_at: number of paragraphs that had been learned at the last consolidation.
        next_look: paragraphs at which the next early consolidation is due; 0 after the last of them.
        month: the newest month that has begun, `YYYY-MM`.
    """

    def __init__(self, settings: TopicSettings, seeded: bool) -> None:
        self._settings = settings
        self.learned = self.looked_at = 0
        self.next_look = settings.bootstrap if seeded else settings.first_look
        self.month = ""
        self._begun = False
        self._coming: dict[str, int] = {}

    def count(self, paragraphs: int, month: str | None) -> None:
        """Count a video's paragraphs; the month is None for a video that was counted before."""
        self.learned += paragraphs
        if month is None or month <= self.month:
            return
        self._coming[month] = self._coming.get(month, 0) + 1
        self._coming = dict(sorted(self._coming.items())[:_MONTHS])
        if self._coming.get(month, 0) >= self._settings.month_videos:
            self._begun, self.month = True, month
            self._coming = {later: videos for later, videos in self._coming.items() if later > month}

    @property
    def early(self) -> bool:
        """Whether the bootstrap is still to come."""
        return self.next_look > 0

    def due(self) -> bool:
        """Return whether a consolidation is due."""
        if self.early:
            return self.learned >= self.next_look
        return self._begun and self.learned - self.looked_at >= self._settings.consolidate_paragraphs

    def looked(self) -> None:
        """Record that a consolidation was done."""
        while 0 < self.next_look <= self.learned:
            self.next_look = 0 if self.next_look >= self._settings.bootstrap else 2 * self.next_look
        self.looked_at, self._begun = self.learned, False

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return the current counts and months."""
        coming = [*self._coming.items(), (self.month, 0)]
        return {
            "schedule": np.array([self.learned, self.looked_at, self.next_look, int(self._begun)], np.int64),
            "schedule_months": np.array([month for month, _ in coming], "U7"),
            "schedule_videos": np.array([videos for _, videos in coming], np.int64),
        }

    @classmethod
    def from_arrays(cls, settings: TopicSettings, arrays: dict[str, NDArray[Any]]) -> "ConsolidationSchedule":
        """Return the schedule that `to_arrays` stored."""
        schedule = cls(settings, seeded=False)
        schedule.learned, schedule.looked_at, schedule.next_look, begun = arrays["schedule"].tolist()
        schedule._begun = bool(begun)
        *coming, (schedule.month, _) = zip(
            arrays["schedule_months"].tolist(), arrays["schedule_videos"].tolist(), strict=True
        )
        schedule._coming = dict(coming)
        return schedule
