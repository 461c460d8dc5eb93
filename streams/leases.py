"""A lease on a long piece of work, so that a rebalance does not run it twice.

Safety does not rest on it: the artefact's key is deterministic and written whole, so two holders
would write the same thing. A lease only saves the GPU from doing it twice.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from streams.blobs import Blobs
from streams.errors import DataError


@dataclass(slots=True)
class Lease:
    """`leases/<name>.json` in the blob store, held by `owner` until `ttl_s` after its last renewal."""

    blobs: Blobs
    name: str
    owner: str
    ttl_s: float
    now: Callable[[], float]
    """Wall clock, seconds: workers on several machines compare it."""

    @property
    def key(self) -> str:
        """Blob key of the lease."""
        return f"leases/{self.name}.json"

    def _body(self) -> bytes:
        return json.dumps({"owner": self.owner, "renewed": self.now()}).encode()

    def acquire(self) -> bool:
        """Take the lease if it is free, expired or already ours."""
        if self.blobs.create(self.key, self._body()):
            return True
        try:
            held = json.loads(self.blobs.get(self.key))
            expired = self.now() - float(held["renewed"]) > self.ttl_s
            ours = held["owner"] == self.owner
        except (DataError, ValueError, KeyError, TypeError):
            expired, ours = True, False
        if ours:
            return True
        if expired:
            self.blobs.delete(self.key)
            return self.blobs.create(self.key, self._body())
        return False

    def renew(self) -> None:
        """Say that the work goes on, unless another worker took it for dead and works on it now."""
        if self._holder() in (self.owner, None):
            self.blobs.put(self.key, self._body())

    def release(self) -> None:
        """Give it back, if it is still ours."""
        if self._holder() == self.owner:
            self.blobs.delete(self.key)

    def _holder(self) -> str | None:
        try:
            return str(json.loads(self.blobs.get(self.key))["owner"])
        except (DataError, ValueError, KeyError, TypeError):
            return None
