"""Logarithms of tail probabilities, as scipy's `pdtrc` and `bdtrc` return them."""

from __future__ import annotations

import math
import sys


def log10_of(probability: float) -> float:
    """Return log10 of a probability; one too small for a float counts as the smallest that is not.

    >>> log10_of(0.01), round(log10_of(0.0), 2)
    (-2.0, -307.65)
    """
    return math.log10(max(float(probability), sys.float_info.min))
