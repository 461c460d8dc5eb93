"""Logarithms of tail probabilities, such as scipy's `pdtrc` and `bdtrc` return."""

from __future__ import annotations

import math
import sys

import numpy as np
from numpy.typing import ArrayLike, NDArray


def log10_of(probability: float) -> float:
    """Return log10 of a probability; underflow counts as the smallest normal float.

    >>> log10_of(0.01), round(log10_of(0.0), 2)
    (-2.0, -307.65)
    """
    return math.log10(max(float(probability), sys.float_info.min))


def log10_fisher(recent: int, recent_of: int, earlier: int, earlier_of: int) -> float:
    """Return log10 p of Fisher's exact test that the share `recent` of `recent_of` is the higher one.

    If nothing had changed, the videos with something would be spread over recent and earlier ones at random.

    >>> log10_fisher(3, 3, 0, 3)  # 1 of the 20 ways to choose three of six
    -1.30103
    """
    from scipy.special import gammaln, logsumexp

    total, having = recent_of + earlier_of, recent + earlier
    counts = np.arange(recent, min(recent_of, having) + 1)

    def log_ways(of: ArrayLike, chosen: ArrayLike) -> NDArray[np.float64]:
        of, chosen = np.asarray(of), np.asarray(chosen)
        return np.asarray(gammaln(of + 1.0) - gammaln(chosen + 1.0) - gammaln(of - chosen + 1.0))

    log_p = logsumexp(log_ways(having, counts) + log_ways(total - having, recent_of - counts))
    return round(min(0.0, float(log_p - log_ways(total, recent_of)) / math.log(10)), 6)
