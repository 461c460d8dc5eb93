"""Sign-in of a study's first curator, by a link that `groundswell run` prints in its terminal.

The link has 192 random bits that only this process knows, and it stops working as soon as the study has a
curator. Opening it changes nothing (mail and chat programs open links), only the form behind it does.
"""

from __future__ import annotations

import hmac
import secrets
import threading
from datetime import datetime
from urllib.parse import urlencode

from agents.web.dependencies import RequestRefused
from models.codebook.commands import clean
from streams.state.curators import Curators


class FirstSignIn:
    """The link of one process for the first curator. Thread-safe."""

    def __init__(self, curators: Curators) -> None:
        self._curators = curators
        self._secret = secrets.token_urlsafe(24)
        self._lock = threading.Lock()

    def link(self, page: str) -> str | None:
        """Return the link, or None if the study has curators.

        Args:
            page: the page's address, such as `http://127.0.0.1:8000`.

        Raises:
            Misconfigured: the file of curators cannot be read.
        """
        if self._curators.all():
            return None
        return f"{page.rstrip('/')}/login?{urlencode({'first': self._secret})}"

    def accepts(self, secret: str) -> bool:
        """Return whether a secret is the link's, and the study still has no curator."""
        mine = hmac.compare_digest(self._secret.encode(), secret.encode())
        return mine and not self._curators.all()

    def add(self, secret: str, name: str, now: datetime) -> str:
        """Add the first curator, and return the token.

        Raises:
            RequestRefused: 401, the link is not, or no longer, valid.
            BadInput: the name is empty or too long.
            Misconfigured: the file of curators cannot be read or written.
        """
        with self._lock:
            if not self.accepts(secret):
                raise RequestRefused(
                    401,
                    "this link is not valid, or no longer: it works once, and until groundswell run ends",
                    "if the study has no curators yet, start groundswell run again for a new link; otherwise "
                    "sign in with your token, or ask for one (groundswell curators add NAME)",
                )
            return self._curators.add(clean(name, "the name"), now)
