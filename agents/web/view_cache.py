"""Caches view results until the database changes.

A page asks a dozen views, most of them the same as the page before it. A view is a function of the database
and its arguments, so that what it said holds for as long as the database does
(`streams.store.database_version`).
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
"""So many rows are kept at most, some 100 MB; what was not asked for the longest goes first."""
VIEWS = ("agents.queries.registry", "streams.store.")
"""Modules whose functions look at the database and at nothing else."""


@dataclass
class _Reading:
    """One request; `state`: what the database held when it asked first, empty before."""

    state: str = ""


class ViewCache:
    """The views of one study, each asked at most once in a state of its database.

    Whoever asks gets what the one before got, not a copy of it, and leaves it as it is.

    Attributes:
        warehouse: the study, to read.
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
        """Let what is asked within be answered as of the first question, or later."""
        token = self._reading.set(_Reading())
        try:
            yield
        finally:
            self._reading.reset(token)

    def ask(self, view: Callable[Concatenate[Warehouse, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what a view says, from what is kept only within `reading`. Blocks: call it from a thread.

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
