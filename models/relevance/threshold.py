"""From which score on videos are reviewed: chosen for a wanted recall, with what it costs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.errors import BadInput
from models.stats.trend import Interval, wilson

FEWEST_EXCLUDED = 10
"""Videos that reviewers excluded, for a threshold to be worth anything."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """The score from which videos are reviewed.

    What it says of recall, precision and savings holds for videos like those that were labelled. Where only
    high scores are reviewed, labels say nothing of low ones: keep having some of those reviewed.

    Attributes:
        wanted: the recall asked for.
        at: videos with a lower score may be rejected; None: there are too few labels, reject nothing.
        why_not: which labels are missing; empty where there is a threshold.
        kept, excluded: how many videos reviewers kept and excluded.
        recall: share of the kept videos that have such a score; 1 without a threshold.
        interval: its 95 % interval (Wilson).
        precision: share of kept videos among those with such a score; None without a labelled video.
        saved: share of the labelled videos that nobody would have had to review.
    """

    wanted: float
    at: float | None
    why_not: str
    kept: int
    excluded: int
    recall: float
    interval: Interval
    precision: float | None
    saved: float


def choose(recall: float, scores: NDArray[np.float64], kept: NDArray[np.bool_]) -> Threshold:
    """Choose by scores that were given without knowing the verdicts.

    Of m kept videos, the threshold is the score of the k-th lowest, k = floor((m + 1)(1 - recall)): then a
    kept video to come is lost with probability 1 - recall at most, however scores are distributed, if it is
    like these (split conformal prediction; Vovk, Gammerman and Shafer 2005). Where k is 0, m is too small to
    promise that much.

    Args:
        recall: above 0, below 1.
        scores: float64 [n].
        kept: bool [n].

    Raises:
        BadInput: `recall` is not between 0 and 1.

    >>> choose(0.9, np.linspace(0, 1, 40), np.arange(40) >= 20).recall
    0.95
    """
    if not 0 < recall < 1:
        raise BadInput(
            f"no threshold finds a share of {recall:g} of the relevant videos", "ask for one such as 0.95"
        )
    low = np.sort(scores[kept])
    lost = int((len(low) + 1) * (1 - recall) + 1e-9)
    excluded = int((~kept).sum())
    why_not = []
    if lost < 1:
        needed = int(np.ceil(1 / (1 - recall) - 1 - 1e-9))
        why_not.append(f"{recall:.0%} recall needs {needed} videos that reviewers kept; there are {len(low)}")
    if excluded < FEWEST_EXCLUDED:
        why_not.append(f"{FEWEST_EXCLUDED} videos that reviewers excluded are needed; there are {excluded}")
    at = None if why_not else float(low[lost - 1])
    above = scores >= at if at is not None else np.ones(len(scores), np.bool_)
    found = int((above & kept).sum())
    return Threshold(
        wanted=recall,
        at=at,
        why_not="; ".join(why_not),
        kept=len(low),
        excluded=excluded,
        recall=found / len(low) if len(low) else 1.0,
        interval=wilson(found, len(low)),
        precision=found / int(above.sum()) if above.any() else None,
        saved=float((~above).mean()) if len(scores) else 0.0,
    )
