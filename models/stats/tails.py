"""Logarithms of tail probabilities, such as scipy's `pdtrc` and `bdtrc` return."""

from __future__ import annotations

import math
import sys


def log10_of(probability: float) -> float:
    """Return log10 of a probability; underflow counts as the smallest normal float.

    >>> log10_of(0.01), round(log10_of(0.0), 2)
    (-2.0, -307.65)
    """
    return math.log10(max(float(probability), sys.float_info.min))
