"""Static files (scripts, styles, fonts, images): compressed once, and all but fonts revalidated every time.

A page needs some twenty of them, and a browser with an empty cache waits for all.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import os
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from agents.web.responses import has_it

FILES = 256
"""Size of the cache; there are fewer files."""
KEPT = "public, max-age=31536000, immutable"
"""Cache-Control of a font: a year without asking again, as its name contains a hash of its content."""
mimetypes.add_type("font/woff2", ".woff2")  # Python before 3.14 does not know it


class Packed(NamedTuple):
    """A file with its compressed content and ETag."""

    plain: bytes
    zipped: bytes
    media_type: str
    tag: str


class Static(StaticFiles):
    """Files that browsers revalidate each time, so that they never mix two versions; fonts may be kept."""

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """Return a file, or 304 if the browser has the current version."""
        packed = _packed(Path(full_path), stat_result.st_mtime_ns)
        asked = Headers(scope=scope)
        headers = {
            "ETag": packed.tag,
            "Cache-Control": KEPT if packed.media_type == "font/woff2" else "no-cache",
            "X-Content-Type-Options": "nosniff",
            "Vary": "Accept-Encoding",
        }
        if has_it(asked.get("if-none-match", ""), packed.tag):
            return Response(status_code=304, headers=headers)
        zipped = "gzip" in asked.get("accept-encoding", "") and len(packed.zipped) < len(packed.plain)
        if zipped:
            headers["Content-Encoding"] = "gzip"
        body = packed.zipped if zipped else packed.plain
        return Response(body, status_code, headers, packed.media_type)


@lru_cache(FILES)
def _packed(path: Path, _changed_at: int) -> Packed:
    plain = path.read_bytes()
    # A weak tag, because compression changes the bytes but not the content.
    return Packed(
        plain,
        gzip.compress(plain, mtime=0),
        mimetypes.guess_type(path)[0] or "application/octet-stream",
        f'W/"{hashlib.sha256(plain).hexdigest()[:32]}"',
    )
