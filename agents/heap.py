"""Memory of a process that rests: glibc keeps what models freed unless it is asked for it.

Two arenas instead of eight a core, and what is free given back when nothing is to be done. Trimming at
every free (M_TRIM_THRESHOLD) saves as much but costs the embedding a third of its speed.
"""

from __future__ import annotations

import ctypes
from contextlib import suppress

M_ARENA_MAX = -8
"""From malloc.h."""


def keep_small() -> None:
    """Limit the arenas. To be called before threads start; without glibc it does nothing."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").mallopt(M_ARENA_MAX, 2)


def give_back() -> None:
    """Return free memory to the system (milliseconds)."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)
