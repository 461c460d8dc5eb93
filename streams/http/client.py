"""HTTP client for feeds, podcast audio and hubs: guarded against SSRF, bounded, and silent about secrets.

Feeds are untrusted input: an address in one may lead into this network, and a response may be endless,
decompress to a thousand times its size, or arrive at a byte per minute. This client stops all of that.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from streams.errors import DataError, Unavailable
from streams.http.errors import HostBusy, NotServed, broken_off, check, shown, too_large, words
from streams.http.guarded_transport import Answer, Asking, GuardedTransport

__all__ = ["HostBusy", "HttpClient", "NotModified", "NotServed", "Page", "Timeouts"]

CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Page:
    """A response: `body` is decompressed; `etag` and `modified` are for a conditional request later."""

    body: bytes
    etag: str
    modified: str
    status: int
    final_url: str
    """The address after all redirects."""


@dataclass(frozen=True, slots=True)
class NotModified:
    """The page is unchanged since `etag` and `modified`."""

    etag: str
    modified: str


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Timeouts (seconds): of one piece of a response, of a whole page, of a whole download."""

    piece_s: float = 20.0
    page_s: float = 60.0
    download_s: float = 6 * 3600.0


class HttpClient:
    """Reads untrusted http and https addresses. Its calls block: use a thread.

    Each host is resolved once and checked, and the connection goes to the checked address; the same holds for
    each redirect. With a proxy, the proxy resolves names: then only numeric addresses and telling names
    (`localhost`, `*.internal`, a name without a domain) are refused here, and the proxy must refuse the rest.

    Args:
        proxy: `http://host:port`; empty: none. Environment variables are ignored.
        internal_addresses: whether addresses inside this network may be read.
        insecure_tls: accept any certificate (tests only).
        patience: the timeouts.
    """

    def __init__(
        self,
        proxy: str = "",
        internal_addresses: bool = False,
        insecure_tls: bool = False,
        *,
        patience: Timeouts = Timeouts(),
    ) -> None:
        self._door = GuardedTransport(proxy, internal_addresses, insecure_tls, patience.piece_s)
        self._patience = patience

    def close(self) -> None:
        """Close the connections."""
        self._door.close()

    def get(self, url: str, *, max_bytes: int, etag: str = "", modified: str = "") -> Page | NotModified:
        """Return the response of an address.

        Args:
            url: the address.
            max_bytes: maximum size of the decompressed body.
            etag: `ETag` of the last response, for a conditional request.
            modified: `Last-Modified` of the last response, likewise.

        Raises:
            DataError: the address is forbidden or not served (`NotServed`), or the body is larger.
            Unavailable: it does not answer now.
        """
        asked = {"Accept-Encoding": "gzip"}
        asked |= {"If-None-Match": etag} if etag else {}
        asked |= {"If-Modified-Since": modified} if modified else {}
        with self._door.following(Asking(url, self._patience.page_s, asked)) as answer:
            headers, status = answer.response.headers, answer.response.status_code
            if status == 304:
                return NotModified(headers.get("ETag", etag), headers.get("Last-Modified", modified))
            check(answer.response, answer.url)
            body = bytearray()
            for piece in _unpacked(answer.response, answer.url):
                answer.in_time()
                body += piece
                if len(body) > max_bytes:
                    raise too_large(answer.url, max_bytes)
            tag, date = headers.get("ETag", ""), headers.get("Last-Modified", "")
            return Page(bytes(body), tag, date, status, answer.url)

    def submit(self, url: str, form: Mapping[str, str]) -> int:
        """Post a form to an address that the operator set (it may be internal); return the status, 2xx.

        Redirects are not followed.

        Raises:
            DataError: it refused the form; the cause quotes its answer.
            Unavailable: it does not answer now.
        """
        with self._door.once(Asking(url, self._patience.page_s, form=form, trusted=True)) as answer:
            if not answer.response.is_success:
                said = words(next(answer.response.iter_raw(CHUNK), b""))
                check(answer.response, url, f": {said}" if said else "")
            return answer.response.status_code

    def download(
        self,
        url: str,
        path: Path,
        *,
        max_bytes: int,
        on_progress: Callable[[int, int | None], None] | None = None,
    ) -> Path:
        """Download a whole file to `path`; a partial download in `path`.part is resumed.

        It is resumed only if the server still has the same file (by its ETag or date, kept in `path`.from).

        Args:
            url: the file's address.
            path: the destination; its folder must exist.
            max_bytes: maximum size of the file.
            on_progress: called with (bytes so far, total bytes if known) after each piece.

        Raises:
            DataError: the address is forbidden or not served (`NotServed`), or the file is larger.
            Unavailable: it does not answer, broke off, or the disk is full; the part received is kept.
        """
        part, mark = path.with_name(f"{path.name}.part"), path.with_name(f"{path.name}.from")
        have = part.stat().st_size if part.exists() and mark.exists() else 0
        asked = {"Accept-Encoding": "identity"}
        if have:
            asked |= {"Range": f"bytes={have}-", "If-Range": mark.read_text()}
        with self._door.following(Asking(url, self._patience.download_s, asked)) as answer:
            try:
                if not (have and _is_all(answer.response, have)):
                    whole = _begin(answer, part, mark, have)
                    _receive(answer, part, whole, max_bytes, on_progress)
                part.replace(path)
                mark.unlink(missing_ok=True)
            except OSError as error:
                raise Unavailable(
                    f"this machine cannot write {path.name} ({error.strerror})",
                    "free disk space or correct the permissions; the download then resumes",
                ) from error
        return path


def _begin(answer: Answer, part: Path, mark: Path, have: int) -> int | None:
    """Prepare `part` for the bytes of the answer; return the size of the whole file, if it is stated."""
    response, url = answer.response, answer.url
    goes_on = response.status_code == 206 and _first_byte(response) == have
    if response.status_code in (206, 416) and not goes_on:
        part.unlink(missing_ok=True)
        raise broken_off(url, "its file changed since the last try")
    check(response, url)
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise DataError(
            f"{shown(url)} compresses its file although it was asked not to", "download it by hand"
        )
    if not goes_on:
        part.write_bytes(b"")
        _keep_mark(mark, response)
    said = response.headers.get("Content-Length", "")
    return (have if goes_on else 0) + int(said) if said.isdecimal() else None


def _receive(
    answer: Answer,
    part: Path,
    whole: int | None,
    max_bytes: int,
    on_progress: Callable[[int, int | None], None] | None,
) -> None:
    have = part.stat().st_size
    with part.open("ab") as file:
        pieces = answer.response.iter_raw(CHUNK)
        while max(have, whole or 0) <= max_bytes and (piece := next(pieces, b"")):
            answer.in_time()
            have += len(piece)
            file.write(piece)
            if on_progress is not None:
                on_progress(have, whole)
    if max(have, whole or 0) > max_bytes:
        part.unlink()
        raise too_large(answer.url, max_bytes)
    if whole is not None and have != whole:
        raise broken_off(answer.url, f"{have:,} of {whole:,} bytes arrived")


def _unpacked(response: httpx.Response, url: str) -> Iterator[bytes]:
    """Yield the decompressed body in pieces of bounded size, however far it expands."""
    coding = response.headers.get("Content-Encoding", "").strip().lower()
    if coding in ("", "identity"):
        yield from response.iter_raw(CHUNK)
        return
    if coding not in ("gzip", "x-gzip"):
        raise DataError(
            f"{shown(url)} compresses its answer as {coding[:20]!r}, which was not requested",
            "tell its operator; groundswell reads only gzip",
        )
    unzip = zlib.decompressobj(wbits=31)
    for raw in response.iter_raw(CHUNK):
        packed = raw
        while packed and not unzip.eof:
            try:
                yield unzip.decompress(packed, CHUNK)
            except zlib.error as error:
                raise DataError(
                    f"{shown(url)} sent a damaged answer (gzip: {error})", "try again later"
                ) from None
            packed = unzip.unconsumed_tail
        if unzip.eof:
            return
    raise broken_off(url, "its answer ends in the middle")


def _first_byte(response: httpx.Response) -> int | None:
    """Return the offset at which a partial answer begins, or None."""
    unit, _, span = response.headers.get("Content-Range", "").partition(" ")
    first = span.partition("-")[0]
    return int(first) if unit == "bytes" and first.isdecimal() else None


def _is_all(response: httpx.Response, have: int) -> bool:
    """Return whether `have` bytes are the whole file: an earlier try ended just before the rename."""
    return response.status_code == 416 and response.headers.get("Content-Range") == f"bytes */{have}"


def _keep_mark(mark: Path, response: httpx.Response) -> None:
    """Store the validator that identifies the file; a weak ETag does not guarantee equal bytes."""
    tag = response.headers.get("ETag", "")
    known = tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified", "")
    if known:
        mark.write_text(known)
    else:
        mark.unlink(missing_ok=True)
