"""Return of freed memory to the system: glibc keeps it until it is asked to trim.

A worker has two malloc arenas instead of eight per core, and trims when it is idle; diarization trims every
few batches. Trimming at every free (M_TRIM_THRESHOLD) saves as much memory but costs the embedding a third of
its speed.
"""

from __future__ import annotations

import ctypes
from contextlib import suppress

M_ARENA_MAX = -8
"""Parameter number from malloc.h."""


def keep_small() -> None:
    """Limit the number of arenas; call it before threads start. No effect without glibc."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").mallopt(M_ARENA_MAX, 2)


def give_back() -> None:
    """Return free memory to the system; takes milliseconds."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)
