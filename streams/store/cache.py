"""Caches what is made of small tables until one of them changes.

Every number of the study begins with the codebook, which takes five queries; whether it has changed takes one
(`streams.store.database_version`), whoever changed it. Who asks for several things at once looks once,
`as_of_now`.
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
"""What each of some tables held; None: nothing."""
MOST = 32
"""So many things are cached of a study; what was not asked for longest is made anew."""

_caches: WeakKeyDictionary[Warehouse, OrderedDict[Hashable, tuple[_Tables, Any]]] = WeakKeyDictionary()
_lock = threading.Lock()
_looked: ContextVar[tuple[Warehouse, dict[str, str]] | None] = ContextVar("looked", default=None)


@contextmanager
def as_of_now(warehouse: Warehouse) -> Iterator[None]:
    """Let everything `cached` within be as of now, or later: for a view, which reads and does not write."""
    before = _looked.get()
    token = _looked.set(before if before and before[0] is warehouse else (warehouse, holdings(warehouse)))
    try:
        yield
    finally:
        _looked.reset(token)


def cached(warehouse: Warehouse, name: Hashable, tables: Sequence[str], make: Callable[[], T]) -> T:
    """Return what `make` returns, or what it returned before if none of the tables has changed since.

    Callers and threads share it, so nobody may change it.

    Args:
        warehouse: the study.
        name: of what is made; the same for the same thing only.
        tables: every table that `make` reads.
        make: makes it.
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
