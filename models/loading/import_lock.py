"""One large import at a time: torch, sentence-transformers and BERTopic import each other's parts in circles.

Two threads that import them at once can wait for each other; Python then lets one of them go on with half a
module ("partially initialized module 'torch'").
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_LOCK = threading.RLock()


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Wait until no other thread imports a large package; what is imported inside may import others."""
    with _LOCK:
        yield
