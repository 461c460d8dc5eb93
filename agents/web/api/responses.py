"""Responses of the API: JSON or CSV, a page of a list, and nothing at all where the asker has it already."""

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

CSV = "text/csv; charset=utf-8"
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet takes a cell that begins so for a formula, and runs it."""


class Part(NamedTuple):
    """A page of a list."""

    offset: int
    size: int
    """How many fit on one."""
    rows: int
    """How many of them are on this page."""
    total: int


def answer(
    request: Request, body: bytes, media_type: str, part: Part | None = None, name: str = ""
) -> Response:
    """Return an answer that can be asked for again cheaply.

    Args:
        request: what was asked; its If-None-Match is looked at.
        body: what to say.
        media_type: what it is.
        part: which rows of how many it holds; None: all there is.
        name: of the file to save it in; empty: it is not for saving.
    """
    # Weak, because a compressed answer has other bytes and says the same.
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
    """Whether a tag is among those that the asker has.

    Example:
        >>> has_it('"b", W/"a"', 'W/"a"'), has_it("*", 'W/"a"'), has_it('"ab"', 'W/"a"')
        (True, True, False)
    """
    held = {each.strip().removeprefix("W/") for each in if_none_match.split(",")}
    return "*" in held or tag.removeprefix("W/") in held


def _links(request: Request, part: Part) -> str:
    """Return the pages before and after this one, as RFC 8288 writes it."""
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
    """Return what a view says as JSON: moments in ISO 8601, in UTC with Z; what is no number is null."""
    return to_json(found, inf_nan_mode="null")


def as_csv(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> bytes:
    """Return rows as CSV (RFC 4180, UTF-8 without a mark); what is nested is JSON, what is unknown is empty.

    A text that a spreadsheet would run as a formula begins with an apostrophe.

    Example:
        >>> as_csv([{"a": "=1+1", "b": -0.5, "c": ["x"], "d": None}], ["a", "b", "c", "d"])
        b'a,b,c,d\\r\\n\\'=1+1,-0.5,"[""x""]",\\r\\n'
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    plain = json.loads(as_json(list(rows)))
    writer.writerows([_cell(row.get(column)) for column in columns] for row in plain)
    return out.getvalue().encode()


def _cell(value: Any) -> Any:
    if isinstance(value, bool | dict | list):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return value
