"""A lease on a piece of work that only one worker is to do at a time.

Whatever happens to a lease (it is taken, renewed, given back) is the exclusive creation of the blob with the
next number, so of two who want the same step one takes it, on a folder as on S3: a compare-and-swap. The
newest number is never removed, or somebody slow could create an old one anew.

A holder that stands still for longer than the lease lasts does not know that another works on: whatever must
not happen twice needs a key of its own besides. `renew` says whether the lease was lost.
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
    """Wall clock, seconds: workers on several machines compare it."""
    _step: int = field(default=0, init=False)
    """Number of this holder's last step; 0: it does not hold the lease, as far as it knows."""
    _one: threading.Lock = field(default_factory=threading.Lock, init=False)
    """A renewal that is still under way in a thread ends before the lease is given back."""

    def acquire(self) -> bool:
        """Take the lease if it is free, expired or already ours; it lasts for `ttl_s` from now on."""
        with self._one:
            newest = max(self._numbers(), default=0)
            return self._may_follow(newest) and self._take(newest + 1, self.owner)

    def renew(self) -> bool:
        """Let it last for `ttl_s` from now on. False: another worker took this one for dead, and works on."""
        with self._one:
            return self._step > 0 and self._take(self._step + 1, self.owner)

    def release(self) -> None:
        """Give it back, if it is still ours."""
        with self._one:
            if self._step:
                self._take(self._step + 1, "")
                self._step = 0

    def _key(self, number: int) -> str:
        # Number 0 is what earlier versions wrote: it holds until it expires.
        return f"leases/{self.name}/{number:020}.json" if number else f"leases/{self.name}.json"

    def _numbers(self) -> list[int]:
        names = (
            key.rsplit("/", 1)[-1].removesuffix(".json") for key in self.blobs.keys(f"leases/{self.name}")
        )
        return [int(name) for name in names if name.isdecimal()]

    def _may_follow(self, number: int) -> bool:
        """Whether what stands under the newest number lets this holder take the lease."""
        try:
            content = self.blobs.get(self._key(number))
        except DataError:  # nobody ever had it; or its holder takes the next step right now
            return number == 0
        try:
            held: dict[str, Any] = json.loads(content)
            owner, age_s = held["owner"], self.now() - float(held["renewed"])
        except (ValueError, KeyError, TypeError):
            return True
        # What another clock calls far in the future is no more valid than what is long past.
        return owner in ("", self.owner) or not abs(age_s) <= self.ttl_s

    def _take(self, number: int, owner: str) -> bool:
        """Take the step with this number, and remove what came before it."""
        self._step = 0
        body = json.dumps({"owner": owner, "renewed": self.now()}).encode()
        if not self.blobs.create(self._key(number), body):
            return False
        numbers = self._numbers()
        if max(numbers) > number:  # others went on, and had removed this number already
            self.blobs.delete(self._key(number))
            return False
        for earlier in {*numbers, number - 1} - {number}:
            self.blobs.delete(self._key(earlier))
        self._step = number
        return True
