"""Responses of the API: JSON or CSV, pages of lists, and 304 when the client has the current version."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

from fastapi import Request, Response
from pydantic_core import to_json

from agents.queries.csv_cells import cell

CSV = "text/csv; charset=utf-8"


class Part(NamedTuple):
    """A page of a list."""

    offset: int
    size: int
    """Maximum number of rows on a page."""
    rows: int
    """Number of rows on this page."""
    total: int
    """Number of rows of the whole list."""


def answer(
    request: Request, body: bytes, media_type: str, part: Part | None = None, name: str = ""
) -> Response:
    """Return a response with an ETag, or 304 if the request's If-None-Match has that tag.

    Args:
        request: the request.
        body: content of the response.
        media_type: type of the content.
        part: the page of the list that the body holds; None: the body is everything.
        name: name of the file to save it as; empty: no download.
    """
    # A weak tag, because compression changes the bytes but not the content.
    tag = f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
    if part is not None:
        headers["X-Total-Count"] = str(part.total)
        if links := _links(request, part):
            headers["Link"] = links
    if has_it(request.headers.get("If-None-Match", ""), tag):
        return Response(status_code=304, headers=headers)
    if name:
        headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return Response(body, media_type=media_type, headers=headers)


def has_it(if_none_match: str, tag: str) -> bool:
    """Return whether an If-None-Match header contains a tag (weak comparison).

    Example:
        >>> has_it('"b", W/"a"', 'W/"a"'), has_it("*", 'W/"a"'), has_it('"ab"', 'W/"a"')
        (True, True, False)
    """
    held = {each.strip().removeprefix("W/") for each in if_none_match.split(",")}
    return "*" in held or tag.removeprefix("W/") in held


def _links(request: Request, part: Part) -> str:
    """Return a Link header (RFC 8288) to the next and the previous page; empty without such pages."""
    asked = {name: value for name, value in request.query_params.multi_items() if name != "offset"}
    found = []
    if part.offset + part.rows < part.total:
        found.append(("next", part.offset + part.rows))
    if part.offset:
        found.append(("prev", max(0, part.offset - part.size)))
    return ", ".join(
        f'<{request.url.path}?{urlencode({**asked, "limit": part.size, "offset": offset})}>; rel="{name}"'
        for name, offset in found
    )


def as_json(found: Any) -> bytes:
    """Return a view's result as JSON: datetimes in ISO 8601 with Z; NaN and infinities as null."""
    return to_json(found, inf_nan_mode="null")


def as_csv(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> bytes:
    """Return rows as CSV (RFC 4180, UTF-8 without BOM); nested values are JSON, missing values empty.

    A text that a spreadsheet would run as a formula gets an apostrophe in front.

    Example:
        >>> as_csv([{"a": "=1+1", "b": -0.5, "c": ["x"], "d": None}], ["a", "b", "c", "d"])
        b'a,b,c,d\\r\\n\\'=1+1,-0.5,"[""x""]",\\r\\n'
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    plain = json.loads(as_json(list(rows)))
    writer.writerows([cell(row.get(column)) for column in columns] for row in plain)
    return out.getvalue().encode()
