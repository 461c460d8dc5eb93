"""Lease on a piece of work that only one worker may do at a time.

Each step of a lease (acquire, renew, release) is the exclusive creation of the blob with the next number, so
only one of two competing workers succeeds, in a folder as on S3: a compare-and-swap. The blob with the newest
number is never deleted, or else a slow worker could create an old number again.

A holder that stalls for longer than the lease lasts does not know that another worker continued; so work that
must not happen twice needs an idempotency key besides. `renew` returns whether the lease was lost.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from streams.errors import DataError
from streams.state.blobs import Blobs


@dataclass(slots=True)
class Lease:
    """`leases/<name>/<number>.json` in the blob store, held by `owner` until `ttl_s` after its last step."""

    blobs: Blobs
    name: str
    owner: str
    ttl_s: float
    now: Callable[[], float]
    """Wall clock (seconds), because workers on several machines compare it."""
    _step: int = field(default=0, init=False)
    """Number of this holder's last step; 0: it does not hold the lease, as far as it knows."""
    _one: threading.Lock = field(default_factory=threading.Lock, init=False)
    """Lets a renewal in another thread finish before the lease is released."""

    def acquire(self) -> bool:
        """Take the lease for `ttl_s` if it is free, expired or already ours; return whether it was taken."""
        with self._one:
            newest = max(self._numbers(), default=0)
            return self._may_follow(newest) and self._take(newest + 1, self.owner)

    def renew(self) -> bool:
        """Extend the lease to `ttl_s` from now; return False if another worker took it over."""
        with self._one:
            return self._step > 0 and self._take(self._step + 1, self.owner)

    def release(self) -> None:
        """Release the lease if it is still ours."""
        with self._one:
            if self._step:
                self._take(self._step + 1, "")
                self._step = 0

    def _key(self, number: int) -> str:
        # Number 0 is the file of earlier versions: it is valid until it expires.
        return f"leases/{self.name}/{number:020}.json" if number else f"leases/{self.name}.json"

    def _numbers(self) -> list[int]:
        names = (
            key.rsplit("/", 1)[-1].removesuffix(".json") for key in self.blobs.keys(f"leases/{self.name}")
        )
        return [int(name) for name in names if name.isdecimal()]

    def _may_follow(self, number: int) -> bool:
        """Return whether the step with the newest number lets this holder take the lease."""
        try:
            content = self.blobs.get(self._key(number))
        except DataError:  # there was no holder yet, or the holder is taking the next step
            return number == 0
        try:
            held: dict[str, Any] = json.loads(content)
            owner, age_s = held["owner"], self.now() - float(held["renewed"])
        except (ValueError, KeyError, TypeError):
            return True
        # A time far in the future, from a wrong clock, is as invalid as one long past.
        return owner in ("", self.owner) or not abs(age_s) <= self.ttl_s

    def _take(self, number: int, owner: str) -> bool:
        """Create the step with this number, and delete earlier ones; return whether this succeeded."""
        self._step = 0
        body = json.dumps({"owner": owner, "renewed": self.now()}).encode()
        if not self.blobs.create(self._key(number), body):
            return False
        numbers = self._numbers()
        if max(numbers) > number:  # others have taken later steps, and had already deleted this number
            self.blobs.delete(self._key(number))
            return False
        for earlier in {*numbers, number - 1} - {number}:
            self.blobs.delete(self._key(earlier))
        self._step = number
        return True
