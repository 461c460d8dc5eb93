"""Seriation: an order of items in which neighbours are similar."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def optimal_leaf_order(distances: NDArray[np.float64]) -> list[int]:
    """Return the leaf order of an average-linkage tree with the most similar neighbours.

    Of all orders that the tree allows, it has the smallest sum of distances between neighbours (Bar-Joseph,
    Gifford and Jaakkola, Bioinformatics 2001), computed by SciPy.

    Args:
        distances: float64 [n, n], symmetric, not negative, 0 on the diagonal.

    Example:
        >>> near = np.array([[0.0, 0.9, 0.1], [0.9, 0.0, 0.8], [0.1, 0.8, 0.0]])
        >>> optimal_leaf_order(near) in ([0, 2, 1], [1, 2, 0])
        True
    """
    count = len(distances)
    if count < 3:
        return list(range(count))
    from scipy.cluster.hierarchy import leaves_list, linkage  # importing takes a second, for a single page

    tree = linkage(distances[np.triu_indices(count, 1)], method="average", optimal_ordering=True)
    return [int(leaf) for leaf in leaves_list(tree)]
