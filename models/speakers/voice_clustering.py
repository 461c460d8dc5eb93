"""Clustering of voices in bounded memory, for any length of recording.

pyannote.audio embeds a voice in windows of ten seconds, each shifted by one second, and compares every pair
of embeddings: four bytes per pair, 5 GB for ten hours in which one person at a time speaks. But neighbouring
windows share nine of their ten seconds. So for a long recording only every second, third … window is
clustered; the rest are assigned to the nearest centroid, as pyannote.audio does anyway.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

MOST = 8_000
"""Maximum number of embeddings that are compared, in 0.3 GB; a talk of an hour has fewer."""
FEWEST = 2
"""Smallest cluster: a single embedding that is like no other is no speaker."""
_Found = tuple[npt.NDArray[np.float32], npt.NDArray[np.int64], npt.NDArray[np.int64]]


def bound(clustering: Any, most: int = MOST) -> None:
    """Make a pyannote.audio clustering compare at most `most` embeddings, evenly spread.

    The clustering's `min_cluster_size`, if it has one, is reduced by the same factor, so that a person with
    little speech still becomes a cluster of their own.
    """
    every = clustering.filter_embeddings
    smallest = getattr(clustering, "min_cluster_size", None)

    def some(embeddings: Any, segmentations: Any = None, **more: Any) -> _Found:
        heard, chunks, speakers = every(embeddings, segmentations=segmentations, **more)
        step = max(1, math.ceil(len(chunks) / most))
        if smallest is not None:
            clustering.min_cluster_size = max(min(smallest, FEWEST), math.ceil(smallest / step))
        kept = chunks % step == 0
        return heard[kept], chunks[kept], speakers[kept]

    clustering.filter_embeddings = some
