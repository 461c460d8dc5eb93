"""Hierarchy of topics: the tree in which they would merge one after the other."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.topics.online.centring import Vectors, compare


@dataclass(frozen=True)
class Linkage:
    """A merge of two groups of topics.

    Attributes:
        left, right: topic ids, ascending; the group with the lower first id is left.
        distance: 1 - mean cosine between the topics of one group and those of the other.
    """

    left: tuple[int, ...]
    right: tuple[int, ...]
    distance: float


def hierarchy(topic_ids: Sequence[int], centroids: Vectors) -> tuple[Linkage, ...]:
    """Return the merges, closest first: average linkage of centroids, float64 [k, d], centred, unit length.

    The last one, if there are two topics or more, joins all.
    """
    from scipy.cluster.hierarchy import linkage

    if len(topic_ids) < 2:
        return ()
    distances = 1.0 - compare(centroids, centroids)[np.triu_indices(len(topic_ids), 1)]
    groups: list[tuple[int, ...]] = [(topic_id,) for topic_id in topic_ids]
    joined = []
    for one, other, distance, _ in linkage(np.maximum(distances, 0.0), method="average"):
        left, right = sorted((groups[int(one)], groups[int(other)]))
        groups.append(tuple(sorted(left + right)))
        joined.append(Linkage(left, right, float(distance)))
    return tuple(joined)
