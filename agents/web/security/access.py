"""Access control: authentication, CSRF and Host checks, before a request reaches any endpoint.

Everybody who reaches the page may read. To make changes, a person signs in with a token (signed cookie, plus
a CSRF token in each form), and a program sends the token with its request. Requests made by another site, or
addressed to a host name that is not ours, are refused here.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from urllib.parse import urlencode, urlsplit

from fastapi import Depends, FastAPI, Request, Response
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agents.web.dependencies import RequestRefused
from agents.web.security.first_sign_in import FirstSignIn
from agents.web.security.rate_limit import RateLimit
from agents.web.security.request_bodies import OPEN, Body, limits_of
from agents.web.security.sessions import LASTS, SignInSessions
from streams.errors import Explained
from streams.settings import Settings
from streams.state.curators import Curator, Curators

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
OPERATIONS = frozenset({"/healthz", "/readyz", "/metrics"})
"""Paths for monitoring, answered under any host name; they reveal no secrets."""
MALFORMED = "?"
"""Host name returned for a malformed address."""
Say = Callable[[Request, Explained], Response]


@dataclass(frozen=True, slots=True)
class Who:
    """A signed-in person or a program with a token.

    Attributes:
        name: recorded with each decision.
        since: when the token was created.
        until: end of the session (seconds since 1970); None for a program with a token.
    """

    name: str
    since: datetime
    until: float | None = None


class Access:
    """Access rules of one process: sign-in, sessions, tokens and checks of requests.

    Attributes:
        settings: of the study.
        curators: who may change something.
        first: how the first of them signs in.
    """

    def __init__(self, settings: Settings, now: Callable[[], datetime]) -> None:
        self.settings = settings
        self.curators = Curators(settings.curators_file)
        self.first = FirstSignIn(self.curators)
        self._sessions = SignInSessions(settings.study_home / "session.key", now)
        self._attempts = RateLimit()
        self._now = now
        self._page = _netloc_of(settings.web_url)
        self._hosts = {_name_of(each) for each in (*settings.web_hosts, self._page)} - {"", MALFORMED}
        self._alone = is_this_machine(settings.web_host)

    def sign_in(self, request: Request, token: str, answer: Response) -> Curator:
        """Begin a session for the token's owner; set its cookie on `answer`.

        Raises:
            RequestRefused: 401, the token is not valid; 429, too many invalid tokens.
            Misconfigured: the curators or the signing key cannot be read.
        """
        curator = self.of_token(request, token)
        _, cookie = self._sessions.begin(curator)
        answer.set_cookie(
            self._cookie(request),
            cookie,
            max_age=int(LASTS.total_seconds()),
            path="/",
            secure=self._over_tls(request),
            httponly=True,
            samesite="strict",
        )
        return curator

    def sign_in_first(self, request: Request, secret: str, name: str) -> str:
        """Add the study's first curator and return the token, with which `sign_in` begins a session.

        Raises:
            RequestRefused: 401, the link is not valid; 429, too many invalid ones.
            BadInput, Misconfigured: as `FirstSignIn.add`.
        """
        if not self.first.accepts(secret):
            self._attempts.wrong(request.client.host if request.client else "", self._now())
        return self.first.add(secret, name, self._now())

    def sign_out(self, request: Request, answer: Response) -> None:
        """Delete the session cookie with `answer`."""
        answer.delete_cookie(
            self._cookie(request),
            path="/",
            secure=self._over_tls(request),
            httponly=True,
            samesite="strict",
        )

    def of_token(self, request: Request, token: str) -> Curator:
        """Return the token's owner; a valid token is never refused because of earlier attempts.

        Raises:
            RequestRefused: 401, the token is not valid; 429, too many invalid tokens from this address.
        """
        curator = self.curators.by_token(token.strip())
        if curator is None:
            self._attempts.wrong(request.client.host if request.client else "", self._now())
            raise RequestRefused(
                401,
                "this token is not valid",
                "copy the whole token, or ask for a new one (groundswell curators add NAME)",
            )
        return curator

    def refuse(self, request: Request) -> None:
        """Refuse a request to a foreign host name, or a change made by another site.

        Raises:
            RequestRefused: 421, the Host is not ours; 403, another site made the request.
        """
        if request.scope["path"] not in OPERATIONS:
            self._refuse_host(request.headers.get("Host", ""))
        if request.method in SAFE:
            return
        origin, fetched = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
        ours = {request.headers.get("Host", "").lower(), self._page} - {""}
        foreign = origin is not None and _netloc_of(origin) not in ours
        if foreign or (fetched is not None and fetched not in ("same-origin", "none")):
            where = repr(origin[:80]) if origin not in (None, "null") else "another site"
            raise RequestRefused(
                403,
                f"this request came from {where}, not from this page, so nothing was changed",
                "open this page itself and try again; behind a proxy, set GROUNDSWELL_WEB_URL to its address",
            )

    def recognise(self, request: Request) -> None:
        """Set `request.state.who`, and for a browser session `request.state.csrf`.

        Raises:
            RequestRefused: 401, the token is not valid; 429, too many invalid tokens.
        """
        request.state.who, request.state.csrf = None, ""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            curator = self.of_token(request, token)
            request.state.who = Who(curator.name, curator.added_at)
            return
        cookie = request.cookies.get(self._cookie(request))
        session = self._sessions.read(cookie) if cookie else None
        curator_now = self.curators.by_key(session.name, session.key) if session else None
        if session is not None and curator_now is not None:
            request.state.who = Who(curator_now.name, curator_now.added_at, session.until)
            request.state.csrf = self._sessions.csrf(session)

    def nobody(self, request: Request) -> RequestRefused:
        """Return the refusal of a change without sign-in, with the way to sign in."""
        if not self.curators.all():
            return RequestRefused(
                401,
                "nothing can be changed here, because this study has no curators yet",
                "open the link for the first curator that groundswell run prints in its terminal, or run "
                f"groundswell --study {self.settings.study} curators add NAME on the machine that serves it",
            )
        if request.scope["path"].startswith("/api/"):
            return RequestRefused(401, "a change needs a token", 'send it as "Authorization: Bearer TOKEN"')
        return RequestRefused(401, "you are not signed in, or no longer", "sign in at /login, then try again")

    def _refuse_host(self, host: str) -> None:
        """Refuse a foreign Host; otherwise another site could read ours by its DNS name (DNS rebinding)."""
        name = _name_of(host)
        if not self._alone and not self.settings.web_hosts and name != MALFORMED:
            return
        if name in self._hosts or name == "localhost" or name.endswith(".localhost") or _is_address(name):
            return
        raise RequestRefused(
            421,
            f"this server does not answer under the name {name[:80]!r}",
            f"open it as {self.settings.web_url or 'http://localhost'}, "
            "or set GROUNDSWELL_WEB_HOSTS='[\"NAME\"]'",
        )

    def _over_tls(self, request: Request) -> bool:
        return request.url.scheme == "https" or self.settings.web_url.startswith("https://")

    def _cookie(self, request: Request) -> str:
        """Return the cookie's name, one per study: browsers share cookies between the ports of a machine."""
        name = f"groundswell_{self.settings.study}"
        return f"__Host-{name}" if self._over_tls(request) else name


class AccessMiddleware:
    """Middleware that applies the access rules to every request."""

    def __init__(self, app: ASGIApp, access: Access, say: Say) -> None:
        self._app = app
        self._access = access
        self._say = say

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse the request, or identify the client and pass it on; mark curators' responses private."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        app: ASGIApp = self._app
        path, refused = scope["path"], None
        try:
            self._access.refuse(request)
            if not path.startswith("/static/") and path not in OPERATIONS:
                self._access.recognise(request)
            if request.method not in SAFE and path not in OPEN and _is_nobody(request):
                refused = self._access.nobody(request)
        except Explained as error:
            request.state.who, request.state.csrf = None, ""
            app = self._say(request, error)
        body = None
        if request.method not in SAFE:
            body = Body(request.headers, receive, limits_of(path, self._access.settings), refused)

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message["headers"])
                if body is not None and body.goes_on:
                    headers["Connection"] = "close"
                if message["status"] == 401:
                    headers["WWW-Authenticate"] = "Bearer"
                if not _is_nobody(request):
                    if headers.get("Cache-Control") != "no-store":
                        headers["Cache-Control"] = "private, no-cache"
                    headers.add_vary_header("Cookie")
            elif body is not None and body.goes_on and not message.get("more_body", False):
                await send({**message, "more_body": True})
                await body.drop()
                message = {"type": "http.response.body", "body": b""}
            await send(message)

        await app(scope, body.receive if body is not None else receive, answer)


def _is_nobody(request: Request) -> bool:
    return getattr(request.state, "who", None) is None


async def needed(request: Request) -> Who:
    """Return the authenticated client of a change; for FastAPI's `Depends`, or to call.

    Raises:
        RequestRefused: 401, not signed in; 403, the form is not from a page of this session.
    """
    access: Access = request.app.state.access
    who: Who | None = request.state.who
    if who is None:
        raise access.nobody(request)
    if request.method in SAFE or who.until is None:
        return who
    given = request.headers.get("X-CSRF-Token", "")
    if not given and request.headers.get("Content-Type", "").startswith(FORMS):
        field = (await request.form()).get("csrf", "")
        given = field if isinstance(field, str) else ""
    if not hmac.compare_digest(given.encode(), request.state.csrf.encode()):
        raise RequestRefused(
            403,
            "this form belongs to another session, or you have signed in again since; nothing was changed",
            "go back, reload the page, and try again",
        )
    return who


Curates = Annotated[Who, Depends(needed)]
"""Endpoint parameter: the authenticated client; the request is refused without one."""


def mount(web: FastAPI, access: Access, say: Say) -> None:
    """Add the access rules in front of everything else; `say` renders a refusal."""
    web.state.access = access
    web.add_middleware(AccessMiddleware, access=access, say=say)


def within(path: str) -> str:
    """Return the path to open after sign-in, or / if it is not a path on this site.

    Example:
        >>> within("/curation?first=2025-01"), within("//example.org/"), within("https://example.org")
        ('/curation?first=2025-01', '/', '/')
    """
    plain = path.isprintable() and "\\" not in path and path.startswith("/") and not path.startswith("//")
    return path if plain else "/"


def login(path: str) -> str:
    """Return the address of the sign-in page that leads back to a path."""
    return f"/login?{urlencode({'next': path})}"


def _name_of(host: str) -> str:
    """Return the host name in a Host header, without the port.

    Example:
        >>> _name_of("localhost:8000"), _name_of("[::1]:80"), _name_of("Talks.example.org.")
        ('localhost', '::1', 'talks.example.org')
    """
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return MALFORMED


def _netloc_of(url: str) -> str:
    """Return the host name and port of an address, in lower case.

    Example:
        >>> _netloc_of("https://Talks.example.org:8443/x"), _netloc_of("http://[")
        ('talks.example.org:8443', '?')
    """
    try:
        return urlsplit(url).netloc.lower()
    except ValueError:
        return MALFORMED


def _is_address(name: str) -> bool:
    """Return whether a name is an IP address, which needs no DNS."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def is_this_machine(host: str) -> bool:
    """Return whether a host name or address is that of the machine itself."""
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)
