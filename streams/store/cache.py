"""What is made of small tables, cached until one of them changes.

Every number of the study begins with the codebook, which takes five queries; whether it has changed takes
one (`streams.store.state`), whoever changed it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from streams.store.state import state
from streams.store.warehouse import Warehouse

T = TypeVar("T")
MOST = 32
"""So many things are cached of a study; what was not asked for longest is made anew."""

_caches: WeakKeyDictionary[Warehouse, OrderedDict[Hashable, tuple[str, Any]]] = WeakKeyDictionary()
_lock = threading.Lock()


def cached(warehouse: Warehouse, name: Hashable, tables: Sequence[str], make: Callable[[], T]) -> T:
    """Return what `make` returns, or what it returned before if none of the tables has changed since.

    Callers and threads share it, so nobody may change it.

    Args:
        warehouse: the study.
        name: of what is made; the same for the same thing only.
        tables: every table that `make` reads.
        make: makes it.
    """
    now = state(warehouse, tables)
    with _lock:
        known = _caches.setdefault(warehouse, OrderedDict()).get(name)
    if known is not None and known[0] == now:
        made: T = known[1]
    else:
        made = make()
    with _lock:
        of_study = _caches.setdefault(warehouse, OrderedDict())
        of_study[name] = now, made
        of_study.move_to_end(name)
        while len(of_study) > MOST:
            of_study.popitem(last=False)
    return made
