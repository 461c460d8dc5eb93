"""Telling voices apart in bounded memory, however long a recording is.

pyannote.audio listens to ten seconds at a time, one second further on each time, and compares every two
voices that it heard so: four bytes for each pair, 5 GB for ten hours in which one person at a time speaks.
But neighbours share nine of their ten seconds. So of a long recording only every second, third … of them is
compared; the rest go to the voice they are nearest to, as they do anyhow.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

MOST = 8_000
"""So many heard voices are compared at most, in 0.3 GB; a talk of an hour has fewer."""
FEWEST = 2
"""One heard voice alone, that is like no other, is nobody."""
_Found = tuple[npt.NDArray[np.float32], npt.NDArray[np.int64], npt.NDArray[np.int64]]


def bound(clustering: Any, most: int = MOST) -> None:
    """Let one of pyannote.audio's clusterings compare no more than so many heard voices, evenly spread.

    A person who is heard in few of them counts as somebody of their own (`min_cluster_size`, where the
    clustering has one) in as short a time as before, since that is thinned as well.
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
