"""Explains HTTP answers, and what a person can do about each; addresses are never quoted in full."""

from __future__ import annotations

import ssl
from typing import NoReturn

import httpx

from streams.errors import DataError, Unavailable

_BUSY = frozenset({408, 425, 429})
_NO_ADDRESS = "Invalid URL in location header"
"""How httpx begins to say it, which reads a redirect also where it is not to follow it."""


class NotServed(DataError):  # noqa: N818 - as its base
    """An address answered that it has nothing, or not for us; `status` is HTTP's."""

    def __init__(self, cause: str, cure: str, status: int) -> None:
        super().__init__(cause, cure)
        self.status = status


class HostBusy(Unavailable):
    """An address answered that it cannot now; `after_s`: it asked to be left alone so long (seconds)."""

    def __init__(self, cause: str, cure: str, status: int, after_s: float | None) -> None:
        super().__init__(cause, cure)
        self.status = status
        self.after_s = after_s


def shown(url: str) -> str:
    """Return as much of an address as may be written down: private feeds carry their key in the rest.

    Example:
        >>> shown("https://me:pw@feeds.example.org/private/0a1b2c/feed.xml?token=3")
        'https://feeds.example.org/private/…'
    """
    try:
        parts = httpx.URL(url)
        host, scheme = parts.host[:100], parts.scheme[:10]
        port = f":{parts.port}" if parts.port else ""
    except (httpx.InvalidURL, ValueError):
        return "that address"
    first, *rest = parts.path.lstrip("/").split("/")
    cut = first[:24]
    more = "…" if cut != first else "/…" if rest else "…" if parts.query else ""
    return f"{scheme}://{f'[{host}]' if ':' in host else host}{port}/{cut}{more}"


def check(response: httpx.Response, url: str, said: str = "") -> None:
    """Raise unless an address answered what it was asked for; `said`: its words, to be shown.

    Raises:
        HostBusy: it cannot now.
        NotServed: it refuses, or has nothing.
    """
    status, where = response.status_code, shown(url)
    if response.is_success:
        return
    if status in _BUSY or status >= 500:
        after = response.headers.get("Retry-After", "")
        what = "asks to be left alone" if status == 429 else "cannot answer"
        raise HostBusy(
            f"{where} {what} for now (HTTP {status}{said})",
            "it is asked again; if it lasts, open it in a browser",
            status,
            float(after) if after.isdecimal() else None,
        )
    if status in (404, 410):
        what = "is not there" if status == 404 else "was taken away for good"
        raise NotServed(
            f"{where} {what} (HTTP {status}{said})", "look whether it moved, and correct the source", status
        )
    if status in (401, 402, 403):
        raise NotServed(
            f"{where} is not for us (HTTP {status}{said})",
            "look whether its address has a key that is missing or has run out",
            status,
        )
    raise NotServed(
        f"{where} answered HTTP {status}{said}", "open it in a browser, and correct the address", status
    )


def too_large(url: str, max_bytes: int) -> DataError:
    """Return the error to raise when there is more than is read."""
    return DataError(
        f"{shown(url)} has more than {max_bytes:,} bytes, the most that is read of such a thing",
        "look in a browser what it is; if it is right, it is too large for groundswell",
    )


def broken_off(url: str, why: str) -> Unavailable:
    """Return the error to raise when an answer is not whole."""
    return Unavailable(f"{shown(url)} broke off ({why})", "it is asked again and goes on where it can")


def misled(url: str) -> DataError:
    """Return the error to raise when a redirect leads to what is no address."""
    return DataError(
        f"{shown(url)} redirects to something that is no address",
        "open it in a browser, and correct the address",
    )


def took_too_long(url: str, seconds: float) -> Unavailable:
    """Return the error to raise when an answer took longer than so many seconds."""
    return Unavailable(
        f"{shown(url)} took longer than {seconds:.0f} s", "it is asked again; if it lasts, remove the source"
    )


def words(said: bytes) -> str:
    """Return what somebody else said as one short line without control characters."""
    return "".join(each if each.isprintable() else " " for each in said.decode(errors="replace"))[
        :200
    ].strip()


def explain(error: httpx.HTTPError | httpx.StreamError, url: str) -> NoReturn:
    """Raise what an error of the network means, without what it says of the address."""
    where = shown(url)
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, ssl.SSLCertVerificationError):
            raise DataError(
                f"{where} cannot prove who it is ({inner.verify_message})",
                "tell who runs it to renew its certificate; check this machine's clock",
            ) from None
        inner = inner.__cause__ or inner.__context__
    if isinstance(error, httpx.TimeoutException):
        raise Unavailable(f"{where} does not answer in time", "it is asked again") from None
    said = words(str(error).encode())
    if said.startswith(_NO_ADDRESS):
        raise misled(url) from None
    if isinstance(error, httpx.ProxyError):
        raise Unavailable(f"the proxy refuses {where} ({said})", "check GROUNDSWELL_PROXY") from None
    raise Unavailable(
        f"{where} cannot be read ({type(error).__name__}: {said})",
        "it is asked again; if it lasts, check the network and GROUNDSWELL_PROXY",
    ) from None
