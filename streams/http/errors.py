"""HTTP errors, each with a cure for the user; addresses are never quoted in full."""

from __future__ import annotations

import ssl
from typing import NoReturn

import httpx

from streams.errors import DataError, Unavailable

_BUSY = frozenset({408, 425, 429})
_NO_ADDRESS = "Invalid URL in location header"
"""Beginning of httpx's message; httpx parses a redirect even if it is not to follow it."""


class NotServed(DataError):  # noqa: N818 - as its base
    """An address has nothing, or denies access to it; `status` is the HTTP status."""

    def __init__(self, cause: str, cure: str, status: int) -> None:
        super().__init__(cause, cure)
        self.status = status


class HostBusy(Unavailable):
    """An address is temporarily unable to answer; `after_s` is its Retry-After (seconds), or None."""

    def __init__(self, cause: str, cure: str, status: int, after_s: float | None) -> None:
        super().__init__(cause, cure)
        self.status = status
        self.after_s = after_s


def shown(url: str) -> str:
    """Return the part of an address that is safe to show: private feeds have their key in the rest.

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
    """Raise unless the response is a success; `said`: text of the response, to be shown.

    Raises:
        HostBusy: it is temporarily unable to answer.
        NotServed: it denies access, or has nothing.
    """
    status, where = response.status_code, shown(url)
    if response.is_success:
        return
    if status in _BUSY or status >= 500:
        after = response.headers.get("Retry-After", "")
        what = "refuses further requests" if status == 429 else "cannot answer"
        raise HostBusy(
            f"{where} {what} for now (HTTP {status}{said})",
            "groundswell tries again by itself; if the error persists, open it in a browser",
            status,
            float(after) if after.isdecimal() else None,
        )
    if status in (404, 410):
        what = "does not exist" if status == 404 else "was removed for good"
        raise NotServed(
            f"{where} {what} (HTTP {status}{said})", "check whether it moved, and correct the source", status
        )
    if status in (401, 402, 403):
        raise NotServed(
            f"{where} denies access (HTTP {status}{said})",
            "check whether its address needs a key that is missing or has expired",
            status,
        )
    raise NotServed(
        f"{where} answered HTTP {status}{said}", "open it in a browser, and correct the address", status
    )


def too_large(url: str, max_bytes: int) -> DataError:
    """Return the error for a body over `max_bytes`."""
    return DataError(
        f"{shown(url)} has more than {max_bytes:,} bytes, the limit for such a file",
        "open it in a browser; if it is the right file, it is too large for groundswell",
    )


def broken_off(url: str, why: str) -> Unavailable:
    """Return the error for an incomplete answer."""
    return Unavailable(f"{shown(url)} broke off ({why})", "groundswell tries again, and resumes if it can")


def misled(url: str) -> DataError:
    """Return the error for a redirect to an invalid address."""
    return DataError(
        f"{shown(url)} redirects to an invalid address",
        "open it in a browser, and correct the address",
    )


def took_too_long(url: str, seconds: float) -> Unavailable:
    """Return the error for an answer that took longer than `seconds`."""
    return Unavailable(
        f"{shown(url)} took longer than {seconds:.0f} s",
        "groundswell tries again by itself; if the error persists, remove the source",
    )


def words(said: bytes) -> str:
    """Return text from a server as one line of at most 200 characters, without control characters."""
    return "".join(each if each.isprintable() else " " for each in said.decode(errors="replace"))[
        :200
    ].strip()


def explain(error: httpx.HTTPError | httpx.StreamError, url: str) -> NoReturn:
    """Raise the error that a network error means, without quoting the address in full."""
    where = shown(url)
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, ssl.SSLCertVerificationError):
            raise DataError(
                f"{where} has no valid certificate ({inner.verify_message})",
                "ask its operator to renew the certificate; check this machine's clock",
            ) from None
        inner = inner.__cause__ or inner.__context__
    if isinstance(error, httpx.TimeoutException):
        raise Unavailable(f"{where} does not answer in time", "groundswell tries again by itself") from None
    said = words(str(error).encode())
    if said.startswith(_NO_ADDRESS):
        raise misled(url) from None
    if isinstance(error, httpx.ProxyError):
        raise Unavailable(f"the proxy refuses {where} ({said})", "check GROUNDSWELL_PROXY") from None
    raise Unavailable(
        f"{where} cannot be read ({type(error).__name__}: {said})",
        "groundswell tries again by itself; if the error persists, check the network and GROUNDSWELL_PROXY",
    ) from None
