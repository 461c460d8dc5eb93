"""Score from which videos need a review: chosen for a wanted recall, with its costs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.errors import BadInput
from models.stats.trend import Interval, wilson

FEWEST_EXCLUDED = 10
"""Excluded videos that are needed for a meaningful threshold."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """The score from which videos are reviewed.

    Its recall, precision and savings hold for videos like the labelled ones. If only high scores are
    reviewed, the labels contain no information about low ones: keep having some of those reviewed.

    Attributes:
        wanted: the requested recall.
        at: videos with a lower score may be rejected; None: there are too few labels, reject nothing.
        why_not: the labels that are missing; empty if there is a threshold.
        kept, excluded: number of videos that reviewers kept and excluded.
        recall: share of the kept videos at or above the threshold; 1 without a threshold.
        interval: its 95 % interval (Wilson).
        precision: share of kept videos at or above the threshold; None without labelled videos.
        saved: share of the labelled videos that would have needed no review.
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
    """Choose the threshold from scores that were given without knowing the verdicts.

    Of m kept videos, the threshold is the k-th lowest score, k = floor((m + 1)(1 - recall)): a future kept
    video is then lost with probability 1 - recall at most, whatever the distribution of scores, if it is
    exchangeable with these (split conformal prediction; Vovk, Gammerman and Shafer 2005). If k is 0, m is too
    small for this guarantee.

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
