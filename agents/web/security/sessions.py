"""Sign-in sessions: signed cookies with a curator and an expiry time."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from itsdangerous import BadData, Signer, URLSafeSerializer

from streams.errors import Misconfigured
from streams.state.curators import PRIVATE, Curator

LASTS = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class SignInSession:
    """A session of one browser.

    Attributes:
        name, key: name and key of the curator's entry.
        number: random number of this session.
        until: expiry, in seconds since 1970.
    """

    name: str
    key: str
    number: str
    until: float


class SignInSessions:
    """Sessions of a study; the signing key is a file that only its owner may read, created on first use."""

    def __init__(self, key_file: Path, now: Callable[[], datetime]) -> None:
        self.key_file = key_file
        self._now = now
        self._key: bytes | None = None

    def begin(self, curator: Curator) -> tuple[SignInSession, str]:
        """Return a new session and its cookie.

        Raises:
            Misconfigured: the signing key can neither be read nor created.
        """
        until = (self._now() + LASTS).timestamp()
        session = SignInSession(curator.name, curator.key, secrets.token_urlsafe(16), until)
        return session, str(self._cookies().dumps([session.name, session.key, session.number, until]))

    def read(self, cookie: str) -> SignInSession | None:
        """Return the session of a cookie, or None if the cookie is invalid or expired."""
        if self._key is None and not self.key_file.exists():
            return None
        try:
            session = SignInSession(*self._cookies().loads(cookie))
        except (BadData, TypeError, ValueError):
            return None
        return session if session.until > self._now().timestamp() else None

    def csrf(self, session: SignInSession) -> str:
        """Return the CSRF token that every form of a session has to send; no other site can know it."""
        return Signer(self._signing_key(), salt="csrf").get_signature(session.number).decode()

    def _cookies(self) -> URLSafeSerializer:
        return URLSafeSerializer(self._signing_key(), salt="session")

    def _signing_key(self) -> bytes:
        if self._key is None:
            try:
                self._key = _key_in(self.key_file)
            except OSError as error:
                raise Misconfigured(
                    f"the signing key {self.key_file} can neither be read nor created "
                    f"({error.strerror or error})",
                    "make its folder readable and writable for groundswell, then sign in again",
                ) from error
        return self._key


def _key_in(path: Path) -> bytes:
    """Return the key in a file, created if missing; processes that create it at once all get the same key."""
    with suppress(FileNotFoundError):
        return path.read_bytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.{secrets.token_hex(4)}.new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE), "wb") as file:
        file.write(secrets.token_bytes(32))
        file.flush()
        os.fsync(file.fileno())
    try:
        with suppress(FileExistsError):
            os.link(new, path)  # atomic: the file is complete or does not exist
    finally:
        new.unlink()
    return path.read_bytes()
