"""A podcast's host on this machine: files with ranges and ETags, broken transfers, and refusals."""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self


class PodcastHost:
    """A server of the files in `files`, by path; `.url` is its address."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.refusals: dict[str, int] = {}
        """HTTP status by path."""
        self.cuts: Counter[str] = Counter()
        """How many of the next answers break off in the middle, by path."""
        self.asked: list[tuple[str, str | None]] = []
        """Path and range of each request."""
        host = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                host.asked.append((self.path, self.headers["Range"]))
                host.answer(self)

            def log_message(self, *_: object) -> None:
                """Log nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def answer(self, to: BaseHTTPRequestHandler) -> None:
        if to.path in self.refusals or to.path not in self.files:
            to.send_error(self.refusals.get(to.path, 404))
            return
        content = self.files[to.path]
        etag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        ranged = to.headers["Range"] if to.headers["If-Range"] in (None, etag) else None
        first = int(ranged.removeprefix("bytes=").rstrip("-")) if ranged else 0
        part = content[first:]
        to.send_response(206 if ranged else 200)
        to.send_header("ETag", etag)
        to.send_header("Content-Length", str(len(part)))
        if ranged:
            to.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
        to.end_headers()
        cut = self.cuts[to.path] > 0
        self.cuts[to.path] -= cut
        to.wfile.write(part[: len(part) // 2] if cut else part)
        to.close_connection = True
