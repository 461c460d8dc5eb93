"""Memory that models freed: glibc keeps it unless it is asked for it.

A worker has two arenas instead of eight a core, and gives back what is free when nothing is to be done; who
looks for speakers does so every few batches. Trimming at every free (M_TRIM_THRESHOLD) saves as much but
costs the embedding a third of its speed.
"""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress
from pathlib import Path

M_ARENA_MAX = -8
"""From malloc.h."""


NVIDIA = Path("/dev/nvidiactl")
"""There where a GPU can be used."""


def keep_small() -> None:
    """Limit the arenas, and without a GPU hide its compiler, which torch would load only to have it (60 MB).

    To be called before threads start and before torch is imported; without glibc the arenas stay as they are.
    """
    if not NVIDIA.exists() and "triton" not in sys.modules:
        sys.modules["triton"] = None  # type: ignore[assignment] # Python's own mark for "not to be found"
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").mallopt(M_ARENA_MAX, 2)


def give_back() -> None:
    """Return free memory to the system (milliseconds)."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)
