"""HTTP transport for untrusted URLs; blocks SSRF, at every redirect too."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.parse import urljoin

import httpx

from streams.errors import DataError, Misconfigured
from streams.http import ssrf_guard
from streams.http.deadline import Deadline
from streams.http.errors import explain, misled, shown, took_too_long

REDIRECTS = 5
AGENT = "groundswell (feed reader)"
_MOVED = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Asking:
    """An HTTP request.

    Attributes:
        url: its address.
        seconds: time limit for the whole answer.
        headers: its headers.
        form: the form to post; None: the request is a GET.
        trusted: the operator set the address, so it may be inside this network.
    """

    url: str
    seconds: float
    headers: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] | None = None
    trusted: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """A response whose body is still to be read; `url`: the address after all redirects."""

    response: httpx.Response
    url: str
    deadline: Deadline

    def in_time(self) -> None:
        """Raise Unavailable if the deadline has passed."""
        if self.deadline.passed:
            raise took_too_long(self.url, self.deadline.seconds)


class GuardedTransport:
    """The only route for outgoing requests; `streams.http.client.HttpClient` documents the arguments."""

    def __init__(self, proxy: str, internal: bool, insecure_tls: bool, piece_s: float) -> None:
        self._proxied = bool(proxy)
        self._internal = internal
        self._piece_s = piece_s
        try:
            # No keep-alive: two host names with one address must not share a connection that was checked for
            # one of them. No cookies, for the same reason and to prevent tracking.
            self._client = httpx.Client(
                proxy=proxy or None,
                verify=not insecure_tls,
                trust_env=False,
                follow_redirects=False,
                limits=httpx.Limits(max_keepalive_connections=0),
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
                headers={"User-Agent": AGENT, "Connection": "close"},
            )
        except (ValueError, ImportError, httpx.InvalidURL) as error:
            raise Misconfigured(
                "feeds cannot be read through a proxy of this kind",
                "set GROUNDSWELL_PROXY to http://host:port, or leave it unset",
            ) from error

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    @contextmanager
    def following(self, asking: Asking) -> Iterator[Answer]:
        """Yield the answer after following redirects.

        Raises:
            DataError: an address is forbidden, or there are too many redirects.
            Unavailable: it does not answer, or not in time.
        """
        began = time.monotonic()
        for _ in range(REDIRECTS + 1):
            left = asking.seconds - (time.monotonic() - began)
            with self.once(replace(asking, seconds=left)) as answer:
                to = answer.response.headers.get("Location", "")
                if answer.response.status_code not in _MOVED or not to:
                    yield answer
                    return
            try:
                asking = replace(asking, url=urljoin(asking.url, to))
            except ValueError:
                raise misled(asking.url) from None
        raise DataError(
            f"{shown(asking.url)} redirects more than {REDIRECTS} times",
            "open it in a browser, and give the final address",
        )

    @contextmanager
    def once(self, asking: Asking) -> Iterator[Answer]:
        """Yield the answer without following redirects; raises the same errors as `following`."""
        target = _parsed(asking.url)
        with Deadline(asking.seconds) as deadline:
            try:
                response = self._send(asking, target, deadline)
                try:
                    yield Answer(response, asking.url, deadline)
                finally:
                    response.close()
            except (httpx.HTTPError, httpx.StreamError) as error:
                if deadline.over:
                    raise took_too_long(asking.url, deadline.seconds) from None
                explain(error, asking.url)

    def _send(self, asking: Asking, target: httpx.URL, deadline: Deadline) -> httpx.Response:
        name = target.raw_host.decode()
        numbers = self._checked(name, target, internal=self._internal or asking.trusted)
        for number in numbers:
            request = self._client.build_request(
                "GET" if asking.form is None else "POST",
                target.copy_with(host=number),
                headers={**asking.headers, "Host": target.netloc.decode()},
                data=None if asking.form is None else dict(asking.form),
                extensions={
                    "sni_hostname": name,
                    "trace": deadline.trace,
                    "timeout": httpx.Timeout(deadline.bounded(self._piece_s)).as_dict(),
                },
            )
            try:
                return self._client.send(request, stream=True)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                if number == numbers[-1]:
                    raise
        raise AssertionError("unreachable: a host has an address")

    def _checked(self, name: str, target: httpx.URL, *, internal: bool) -> list[str]:
        if not self._proxied:
            port = target.port or (443 if target.scheme == "https" else 80)
            return ssrf_guard.addresses(name, port, internal=internal)
        if not internal:
            ssrf_guard.refuse_literal(name)
        return [name]


def _parsed(url: str) -> httpx.URL:
    try:
        target = httpx.URL(url)
        name = target.raw_host.decode()
        if "%" in name or (target.port or 0) > 65535:  # no host and no port look like that
            raise ValueError
    except (httpx.InvalidURL, ValueError, TypeError):
        raise DataError("the address is invalid", "correct it: https://host/path") from None
    if target.scheme not in ("http", "https") or not name:
        raise DataError(
            f"{shown(url)} is not a web address" if name else "the address has no host name",
            "give one that begins with https:// or http://",
        )
    if target.userinfo:
        raise DataError(
            f"the address at {target.host[:100]} contains a user and password",
            "give the address that the podcast's host offers for apps, which contains a key instead",
        )
    return target
