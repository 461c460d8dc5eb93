"""What views said, kept until the database holds something else.

A page asks a dozen views, most of them the same as the page before it. A view is a function of the database
and its arguments, so that what it said holds for as long as the database does (`streams.store.state`).
"""

from __future__ import annotations

import hashlib
import pickle
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Concatenate, ParamSpec, TypeVar

from agents.web.asking import ask
from streams.store.state import state
from streams.store.warehouse import Warehouse

P = ParamSpec("P")
T = TypeVar("T")
MOST = 64 * 2**20
"""So much is kept at most (bytes); what was not asked for the longest goes first."""
LARGEST = MOST // 8
"""An answer larger than this is not kept (bytes)."""
VIEWS = ("agents.views", "streams.store.")
"""Modules whose functions look at the database and at nothing else."""


@dataclass
class _Reading:
    """One request; `state`: what the database held when it asked first, empty before."""

    state: str = ""


class Kept:
    """The views of one study, each asked at most once in a state of its database.

    Attributes:
        warehouse: the study, to read.
    """

    def __init__(self, warehouse: Warehouse, most: int = MOST) -> None:
        self.warehouse = warehouse
        self._most = most
        self._reading: ContextVar[_Reading | None] = ContextVar("reading", default=None)
        self._lock = threading.Lock()
        self._state = ""
        self._size = 0
        # As bytes: they say how large they are, and whoever asked cannot change what the next one gets.
        self._said: OrderedDict[bytes, bytes] = OrderedDict()

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
        key = hashlib.sha256(pickle.dumps((view.__module__, view.__qualname__, args, kwargs))).digest()
        said = self._find(now, key)
        if said is not None:
            found: T = pickle.loads(said)
            return found
        found = ask(self.warehouse, view, *args, **kwargs)
        self._keep(now, key, pickle.dumps(found, pickle.HIGHEST_PROTOCOL))
        return found

    def _find(self, now: str, key: bytes) -> bytes | None:
        with self._lock:
            if now != self._state:
                return None
            said = self._said.get(key)
            if said is not None:
                self._said.move_to_end(key)
            return said

    def _keep(self, now: str, key: bytes, said: bytes) -> None:
        if len(said) > min(LARGEST, self._most):
            return
        with self._lock:
            if now != self._state:
                self._said.clear()
                self._state, self._size = now, 0
            self._size += len(said) - len(self._said.pop(key, b""))
            self._said[key] = said
            while self._size > self._most:
                self._size -= len(self._said.popitem(last=False)[1])
