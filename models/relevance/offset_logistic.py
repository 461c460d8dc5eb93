"""Logistic regression that begins with an opinion: what it learns are corrections to it, shrunk towards none.

The maximum a posteriori estimate under a normal prior on the corrections (Bishop, Pattern Recognition and
Machine Learning, 4.5). scikit-learn's logistic regression takes no offset, so it cannot begin anywhere but at
"nothing is known"; with an offset no labels change nothing, and few change little.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def corrections(features: Array, offsets: Array, answers: NDArray[np.int64], weights: Array) -> Array:
    """Return float64 [k, d]: what to add to a row's k offsets for each of its d features.

    Deterministic; the problem is convex, so there is one answer. A feature's scale says how freely it may be
    used: a correction of 1 per unit costs as much as half a nat of likelihood.

    Args:
        features: float64 [n, d].
        offsets: float64 [n, k], log-odds of k answers before anything is learned, up to a constant a row.
        answers: int64 [n], which of the k was given.
        weights: float64 [n], how much each row counts.
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
    """Return float64 [n, k]: the logarithm of each answer's probability."""
    moved = log_odds - log_odds.max(axis=1, keepdims=True)
    return np.asarray(moved - np.log(np.exp(moved).sum(axis=1, keepdims=True)), np.float64)


def sigmoid(log_odds: Array) -> Array:
    """Return probabilities, also where a naive formula would overflow."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * log_odds)), np.float64)
