"""Cache of values computed from small tables, valid until one of the tables changes.

Every number of the study starts from the codebook, which takes five queries; checking whether it changed
takes one (`streams.store.database_version`), whichever process changed it. A view that needs several values
checks only once, with `as_of_now`.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from streams.store.database_version import holdings
from streams.store.warehouse import Warehouse

T = TypeVar("T")
_Tables = list[str | None]
"""The version of each of some tables; None: it is empty."""
MOST = 32
"""Maximum number of cached values per study; the least recently used is dropped."""

_caches: WeakKeyDictionary[Warehouse, OrderedDict[Hashable, tuple[_Tables, Any]]] = WeakKeyDictionary()
_lock = threading.Lock()
_looked: ContextVar[tuple[Warehouse, dict[str, str]] | None] = ContextVar("looked", default=None)


@contextmanager
def as_of_now(warehouse: Warehouse) -> Iterator[None]:
    """Check the tables' versions once for all `cached` calls inside; only for views, which do not write."""
    before = _looked.get()
    token = _looked.set(before if before and before[0] is warehouse else (warehouse, holdings(warehouse)))
    try:
        yield
    finally:
        _looked.reset(token)


def cached(warehouse: Warehouse, name: Hashable, tables: Sequence[str], make: Callable[[], T]) -> T:
    """Return the cached result of `make`, or call it if one of the tables has changed since.

    Callers and threads share the result, so they must not modify it.

    Args:
        warehouse: the study.
        name: key of the value, unique to it.
        tables: every table that `make` reads.
        make: computes the value.
    """
    looked = _looked.get()
    held = looked[1] if looked and looked[0] is warehouse else holdings(warehouse)
    now = [held.get(table) for table in tables]
    with _lock:
        of_study = _caches.setdefault(warehouse, OrderedDict())
        known = of_study.get(name)
    made: T = known[1] if known is not None and known[0] == now else make()
    with _lock:
        of_study[name] = now, made
        of_study.move_to_end(name)
        while len(of_study) > MOST:
            of_study.popitem(last=False)
    return made
