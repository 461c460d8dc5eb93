"""Large imports, one at a time: torch, sentence-transformers and BERTopic import each other in cycles.

Two threads that import them at the same time can deadlock; Python then lets one of them continue with a
partial module ("partially initialized module 'torch'").
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.abc import MetaPathFinder

_LOCK = threading.RLock()


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Wait until no other thread imports a large package; imports inside the block may be nested."""
    with _LOCK:
        yield


@contextmanager
def finding_with(finder: MetaPathFinder) -> Iterator[None]:
    """Ask an import finder before all others; no other thread imports a large package meanwhile."""
    with one_at_a_time():
        sys.meta_path.insert(0, finder)
        try:
            yield
        finally:
            sys.meta_path.remove(finder)
