"""Dependencies of endpoints: the selection in a query, paging parameters, views and their errors."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Concatenate, ParamSpec, TypeVar

from fastapi import Depends, Query

from streams.errors import Explained, Misconfigured, Unavailable
from streams.store.queries.selection import Selection, is_period
from streams.store.warehouse import Warehouse

if TYPE_CHECKING:
    from agents.web.context import WebContext

P = ParamSpec("P")
T = TypeVar("T")
PATIENCE_S = 3.0
"""Timeout in seconds for a ClickHouse server that does not answer."""
PERIOD: dict[str, Any] = {
    "pattern": r"^((19[7-9][0-9]|20[0-9]{2})-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?$"
}
"""Format of a month or day, for the OpenAPI document; `selection` explains violations in words."""
REVISION = r"^[0-9]{0,9}$"
"""Format of a revision of the codebook in a selection; a form sends its empty field as well."""
_MISSING = re.compile(r"\((UNKNOWN_TABLE|UNKNOWN_DATABASE)\)")


class RequestRefused(Explained):
    """A request that cannot be answered as it is; `status` is the HTTP status."""

    def __init__(self, status: int, cause: str, cure: str) -> None:
        super().__init__(cause, cure)
        self.status = status


class PeriodReversed(RequestRefused):
    """A period whose first month is after its last; a page swaps them."""


def code_of(error: Explained) -> int:
    """Return the HTTP status of an error."""
    return (
        error.status if isinstance(error, RequestRefused) else 503 if isinstance(error, Unavailable) else 422
    )


def selection(  # noqa: PLR0917 - the parameters of a query, each by name
    first: Annotated[
        str, Query(description="First month or day of publication; empty: all.", json_schema_extra=PERIOD)
    ] = "",
    last: Annotated[
        str, Query(description="Last month or day, inclusive; empty: all.", json_schema_extra=PERIOD)
    ] = "",
    source: Annotated[str, Query(description="Only talks from this source.")] = "",
    channel: Annotated[str, Query(description="Only talks of this channel.")] = "",
    show: Annotated[str, Query(description="Only talks of this show.")] = "",
    speaker: Annotated[str, Query(description="Only talks in which this person speaks.")] = "",
    language: Annotated[str, Query(description="Only talks in this language (ISO 639-1).")] = "",
    codebook: Annotated[
        str,
        Query(
            description="As of this revision of the codebook; empty: the newest.",
            json_schema_extra={"pattern": REVISION},
        ),
    ] = "",
) -> Selection:
    """Return the selection of talks in a query.

    Raises:
        RequestRefused: 422, not a month or day, or no number of a revision.
        PeriodReversed: the first is after the last.

    Example:
        >>> selection("2025-04").first
        '2025-04'
    """
    for name, text in (("first", first), ("last", last)):
        if text and not is_period(text):
            raise RequestRefused(
                422,
                f"the {name} month {text[:40]!r} is not a month or day from 1970-01 to 2099-12",
                "write it as YYYY-MM, such as 2025-04, or as YYYY-MM-DD",
            )
    if not re.fullmatch(REVISION, codebook, re.ASCII):
        raise RequestRefused(
            422,
            f"the revision {codebook[:40]!r} of the codebook is not a number",
            "see /api/codebook_decisions for the revisions, or leave codebook out for the newest",
        )
    revision = int(codebook) if codebook else None
    asked = Selection(first or None, last or None, source, channel, show, speaker, language, revision)
    if asked.days[0] > asked.days[1]:
        raise PeriodReversed(422, f"the first month ({first}) is after the last ({last})", "swap them")
    return asked


def readers_warehouse(runtime: WebContext) -> Warehouse:
    """Return the warehouse to read from: the shared chDB, or a server client with a short timeout."""
    if runtime.settings.embedded_clickhouse:
        return runtime.parts.warehouse
    return Warehouse(runtime.settings, patience_s=PATIENCE_S)


def ask(
    warehouse: Warehouse, view: Callable[Concatenate[Warehouse, P], T], *args: P.args, **kwargs: P.kwargs
) -> T:
    """Return the result of a view. Blocks: call it from a thread.

    Raises:
        Unavailable: the database does not answer, cannot be opened here, or has no tables yet.
    """
    from clickhouse_connect.driver.exceptions import DatabaseError

    try:
        return view(warehouse, *args, **kwargs)
    except Misconfigured as error:
        raise Unavailable(error.cause, error.cure) from error
    except DatabaseError as error:
        if not _MISSING.search(str(error)):
            raise
        raise Unavailable(
            f"{warehouse.where} has no tables of the study {warehouse.database!r}",
            'create them with "groundswell migrate"',
        ) from error


Selected = Annotated[Selection, Depends(selection)]
Topic = Annotated[int, Query(ge=1, lt=2**32, description="Number of the topic, as in /api/topics.")]
Page = Annotated[int, Query(ge=1, le=100_000, description="Page number, from 1.")]
Limit = Annotated[int, Query(ge=1, le=1000, description="Maximum number of rows.")]
NEWEST = 20
"""Number of talks that a page about something lists at first; `talks=1000` lists more."""
NewestTalks = Annotated[int, Query(ge=1, le=1000, description="Number of talks, the newest.")]
