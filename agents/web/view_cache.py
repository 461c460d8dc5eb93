"""Cache of view results until the database changes.

A page asks a dozen views, most of them the same as the page before it. A view is a function of the database
and its arguments, so its result is valid until the database changes (`streams.store.database_version`).
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec, TypeVar

from agents.web.dependencies import ask
from streams.store.database_version import state
from streams.store.warehouse import Warehouse

P = ParamSpec("P")
T = TypeVar("T")
MOST = 100_000
"""Maximum number of cached rows, about 100 MB; the least recently used results are dropped first."""
VIEWS = ("agents.queries.registry", "agents.queries.like_for_like", "agents.queries.mix", "streams.store.")
"""Prefixes of modules whose functions depend on the database alone."""


@dataclass
class _Reading:
    """One request; `state`: version of the database at its first query, empty before it."""

    state: str = ""


class ViewCache:
    """Cache of the views of one study, keyed by view and arguments, for one version of its database.

    Callers share the cached objects, not copies, and must not modify them.

    Attributes:
        warehouse: the study's database, for reading.
    """

    def __init__(self, warehouse: Warehouse, most: int = MOST) -> None:
        self.warehouse = warehouse
        self._most = most
        self._reading: ContextVar[_Reading | None] = ContextVar("reading", default=None)
        self._lock = threading.Lock()
        self._state = ""
        self._rows = 0
        self._said: OrderedDict[Hashable, Any] = OrderedDict()

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Answer queries inside this context as of its first query, or newer."""
        token = self._reading.set(_Reading())
        try:
            yield
        finally:
            self._reading.reset(token)

    def ask(self, view: Callable[Concatenate[Warehouse, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return the result of a view, from the cache only inside `reading`. Blocks: call it from a thread.

        Raises:
            Unavailable: the database does not answer, cannot be opened here, or has no tables yet.
        """
        reading = self._reading.get()
        if reading is None or not view.__module__.startswith(VIEWS):
            return ask(self.warehouse, view, *args, **kwargs)
        now = reading.state = reading.state or ask(self.warehouse, state)
        question = (view.__module__, view.__qualname__, args, tuple(sorted(kwargs.items())))
        with self._lock:
            if now == self._state and question in self._said:
                self._said.move_to_end(question)
                said: T = self._said[question]
                return said
        found = ask(self.warehouse, view, *args, **kwargs)
        self._keep(now, question, found)
        return found

    def _keep(self, now: str, question: Hashable, said: Any) -> None:
        if _size(said) > self._most // 2:
            return
        with self._lock:
            if now != self._state:
                self._said.clear()
                self._state, self._rows = now, 0
            if question not in self._said:
                self._rows += _size(said)
            self._said[question] = said
            while self._rows > self._most:
                self._rows -= _size(self._said.popitem(last=False)[1])


def _size(said: Any) -> int:
    if isinstance(said, tuple):
        return sum(map(_size, said))
    return 1 + (len(said) if isinstance(said, list | set) else 0)
