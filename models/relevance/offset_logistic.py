"""Logistic regression with an offset: it learns corrections to prior log-odds, shrunk towards zero.

The maximum a posteriori estimate under a normal prior on the corrections (Bishop, Pattern Recognition and
Machine Learning, 4.5). scikit-learn's logistic regression takes no offset, so it can only start from no
knowledge; with an offset, no labels change nothing and few labels change little.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def corrections(features: Array, offsets: Array, answers: NDArray[np.int64], weights: Array) -> Array:
    """Return float64 [k, d]: the correction of a row's k offsets for each of its d features.

    Deterministic; the problem is convex, so the solution is unique. A feature's scale sets how freely it may
    be used: a correction of 1 per unit costs half a nat of likelihood.

    Args:
        features: float64 [n, d].
        offsets: float64 [n, k], prior log-odds of k answers, up to a constant per row.
        answers: int64 [n], which of the k answers was given.
        weights: float64 [n], weight of each row.
    """
    from scipy.optimize import minimize

    shape = (offsets.shape[1], features.shape[1])
    if not len(features):
        return np.zeros(shape)
    rows = np.arange(len(answers))

    def loss(flat: Array) -> tuple[float, Array]:
        learned = flat.reshape(shape)
        logs = log_shares(offsets + features @ learned.T)
        wrong = np.exp(logs)
        wrong[rows, answers] -= 1.0
        value = -(weights * logs[rows, answers]).sum() + 0.5 * (flat @ flat)
        return float(value), ((wrong * weights[:, None]).T @ features + learned).ravel()

    start = np.zeros(shape[0] * shape[1])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 500, "ftol": 1e-10})
    return np.asarray(found.x, np.float64).reshape(shape)


def log_shares(log_odds: Array) -> Array:
    """Return float64 [n, k]: the logarithm of each answer's probability (log-softmax)."""
    moved = log_odds - log_odds.max(axis=1, keepdims=True)
    return np.asarray(moved - np.log(np.exp(moved).sum(axis=1, keepdims=True)), np.float64)


def sigmoid(log_odds: Array) -> Array:
    """Return probabilities from log-odds, without overflow."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * log_odds)), np.float64)
