"""Cache of view results until the database changes.

A page asks a dozen views, most of them the same as the page before it. A view is a function of the database
and its arguments, so its result is valid until the database changes (`streams.store.database_version`). While
a page is open, views that were asked lately are asked again after a change (`agents.web.live`), so that the
next page finds them.
"""

from __future__ import annotations

import threading
import time
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
VIEWS = ("agents.queries.", "streams.store.")
"""Prefixes of modules whose functions depend on the database alone."""
REMEMBERED = 100
"""Maximum number of questions that are asked again after a change."""
LATELY_S = 600.0
"""How long a question is asked again after a request asked it (seconds)."""
REFRESH_S = 0.2
"""How long `refresh` asks, at most: a tenth of the interval at which it is called (seconds)."""


@dataclass
class _Reading:
    """One request; `state`: version of the database at its first query, empty before it."""

    state: str = ""


@dataclass(frozen=True)
class _Asked:
    """A question that a request asked, and when."""

    ask: Callable[[], object]
    at: float


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
        self._being_asked: dict[Hashable, threading.Event] = {}
        self._recent: OrderedDict[Hashable, _Asked] = OrderedDict()
        self._requests = 0

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Answer queries inside this context as of its first query, or newer."""
        token = self._reading.set(_Reading())
        with self._lock:
            self._requests += 1
        try:
            yield
        finally:
            with self._lock:
                self._requests -= 1
            self._reading.reset(token)

    def refresh(self) -> None:
        """Ask again, the latest first, what requests asked and the database has changed since.

        It stops after `REFRESH_S`, and when a request comes; the next call continues. Blocks.
        """
        until = time.monotonic() + REFRESH_S
        with self._lock:
            recent = [asked for asked in reversed(self._recent.values()) if asked.at > until - LATELY_S]
        for asked in recent:
            if self._requests or time.monotonic() > until:
                return
            asked.ask()

    def ask(self, view: Callable[Concatenate[Warehouse, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return the result of a view, from the cache only inside `reading`. Blocks: call it from a thread.

        Raises:
            Unavailable: the database does not answer, cannot be opened here, or has no tables yet.
        """
        reading = self._reading.get()
        if reading is None or not view.__module__.startswith(VIEWS):
            return ask(self.warehouse, view, *args, **kwargs)
        question = (view.__module__, view.__qualname__, args, tuple(sorted(kwargs.items())))

        def found(reading: _Reading) -> T:
            return self._answer(reading, question, lambda: ask(self.warehouse, view, *args, **kwargs))

        with self._lock:
            self._recent[question] = _Asked(lambda: found(_Reading()), time.monotonic())
            self._recent.move_to_end(question)
            if len(self._recent) > REMEMBERED:
                self._recent.popitem(last=False)
        return found(reading)

    def _answer(self, reading: _Reading, question: Hashable, find: Callable[[], T]) -> T:
        """Return the answer as of a reading; of several that ask the same at once, one asks the database."""
        now = self._as_of(reading)
        while True:
            with self._lock:
                if now == self._state and question in self._said:
                    self._said.move_to_end(question)
                    said: T = self._said[question]
                    return said
                other = self._being_asked.get((now, question))
                if other is None:
                    mine = self._being_asked[now, question] = threading.Event()
                    break
            other.wait()
        try:
            found = find()
            self._keep(now, question, found)
            return found
        finally:
            with self._lock:
                del self._being_asked[now, question]
            mine.set()

    def _as_of(self, reading: _Reading) -> str:
        """Return the version of the database that a reading is of; what was kept for another is dropped."""
        if not reading.state:
            reading.state = ask(self.warehouse, state)
            with self._lock:
                if reading.state != self._state:
                    self._said.clear()
                    self._state, self._rows = reading.state, 0
        return reading.state

    def _keep(self, now: str, question: Hashable, said: Any) -> None:
        if _size(said) > self._most // 2:
            return
        with self._lock:
            if now != self._state:
                return
            if question not in self._said:
                self._rows += _size(said)
            self._said[question] = said
            while self._rows > self._most:
                self._rows -= _size(self._said.popitem(last=False)[1])


def _size(said: Any) -> int:
    if isinstance(said, tuple):
        return sum(map(_size, said))
    return 1 + (len(said) if isinstance(said, list | set) else 0)
