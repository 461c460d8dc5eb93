"""Memory that models freed: glibc keeps it unless it is asked for it.

A worker has two arenas instead of eight a core, and gives back what is free when nothing is to be done; who
looks for speakers does so every few batches. Trimming at every free (M_TRIM_THRESHOLD) saves as much but
costs the embedding a third of its speed.
"""

from __future__ import annotations

import ctypes
from contextlib import suppress

M_ARENA_MAX = -8
"""From malloc.h."""


def keep_small() -> None:
    """Limit the arenas, before threads start; without glibc they stay as they are."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").mallopt(M_ARENA_MAX, 2)


def give_back() -> None:
    """Return free memory to the system (milliseconds)."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)
