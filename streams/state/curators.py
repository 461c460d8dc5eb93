"""Curators of a study: a small file of names, each with the hash of a token and the time of its creation.

A token is 256 random bits, which cannot be guessed, so a plain SHA-256 protects it as well as a slow hash
protects a password. The file never contains a token.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from streams.errors import DataError, Misconfigured

PRIVATE = 0o600


class Curator(BaseModel):
    """A person who may curate.

    Attributes:
        name: the person's name, recorded with decisions.
        key: id of this entry; it changes when the name is removed and added again.
        sha256: hash of the token, in hexadecimal.
        added_at: when the token was created.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    key: str
    sha256: str
    added_at: AwareDatetime


class Curators:
    """The file of a study's curators; reread when it changes, so that a removal takes effect at once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read: tuple[tuple[int, int, int] | None, tuple[Curator, ...]] = (None, ())

    def all(self) -> tuple[Curator, ...]:
        """Return all curators, sorted by name; none if there is no file.

        Raises:
            Misconfigured: the file cannot be read.
        """
        try:
            about = self.path.stat()
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise self._unreadable(error) from error
        mark = (about.st_mtime_ns, about.st_size, about.st_ino)
        if self._read[0] != mark:
            try:
                rows = json.loads(self.path.read_text(encoding="utf-8"))["curators"]
                found = tuple(sorted(map(Curator.model_validate, rows), key=lambda each: each.name))
            except (OSError, ValueError, KeyError, TypeError, ValidationError) as error:
                raise self._unreadable(error) from error
            self._read = (mark, found)
        return self._read[1]

    def add(self, name: str, now: datetime) -> str:
        """Add a curator, and return the token, which is stored nowhere.

        Raises:
            DataError: the name is taken.
            Misconfigured: the file cannot be written.
        """
        known = self.all()
        if any(each.name.casefold() == name.casefold() for each in known):
            raise DataError(
                f"{name!r} is already a curator",
                f"remove {name} first for a new token, or choose another name",
            )
        token = secrets.token_urlsafe(32)
        added = Curator(name=name, key=secrets.token_hex(8), sha256=hash_of(token), added_at=now)
        self._write([*known, added])
        return token

    def remove(self, name: str) -> Curator:
        """Remove a curator, whose token and sessions become invalid.

        Raises:
            DataError: there is no curator of that name.
            Misconfigured: the file cannot be written.
        """
        known = self.all()
        gone = next((each for each in known if each.name.casefold() == name.casefold()), None)
        if gone is None:
            raise DataError(f"there is no curator {name!r}", "see groundswell curators list")
        self._write([each for each in known if each is not gone])
        return gone

    def by_token(self, token: str) -> Curator | None:
        """Return the curator with this token, or None; the time taken does not depend on the token."""
        given, found = hash_of(token), None
        for each in self.all():
            if hmac.compare_digest(each.sha256.encode(), given.encode()):
                found = each
        return found

    def by_key(self, name: str, key: str) -> Curator | None:
        """Return the curator with this name and key, or None."""
        return next((each for each in self.all() if (each.name, each.key) == (name, key)), None)

    def _write(self, everybody: Sequence[Curator]) -> None:
        rows = [each.model_dump(mode="json") for each in sorted(everybody, key=lambda each: each.name)]
        try:
            write_private(self.path, json.dumps({"curators": rows}, ensure_ascii=False, indent=2) + "\n")
        except OSError as error:
            raise Misconfigured(
                f"{self.path} cannot be written ({error.strerror or error})",
                "make its folder writable, or set GROUNDSWELL_CURATORS to a file that is",
            ) from error

    def _unreadable(self, error: Exception) -> Misconfigured:
        why = error.strerror if isinstance(error, OSError) else "it does not have groundswell's format"
        return Misconfigured(
            f"the file of curators {self.path} cannot be read ({why})",
            "restore it from a backup, or move it away and add all curators again (groundswell curators add)",
        )


def hash_of(token: str) -> str:
    """Return the SHA-256 of a token, in hexadecimal."""
    return hashlib.sha256(token.encode()).hexdigest()


def write_private(path: Path, text: str) -> None:
    """Write a file atomically, readable only by its owner."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.{secrets.token_hex(4)}.new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
