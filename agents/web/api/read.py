"""The JSON API: one GET endpoint per view of `agents.queries.registry`, with the view's name and parameters.

Endpoints are plain functions, so that FastAPI runs their blocking queries in threads. Datetimes are ISO 8601
with Z. What cannot be answered is said as {error, cure}: 422 or 404 when the question is wrong, 503 when the
database does not answer or has no tables. `agents.web.api.responses` says what an answer looks like, the
return type of the view (`streams.store.rows`, `agents.queries.rows`) what is in it, and examples.json how one
looks; tests hold all three to it.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from fastapi import FastAPI, Query, Request, Response
from pydantic import AwareDatetime
from typing_extensions import TypedDict

from agents.queries.registry import VIEWS
from agents.web.api.responses import CSV, Part, answer, as_csv, as_json
from agents.web.dependencies import RequestRefused, Selected, Topic
from agents.web.view_cache import ViewCache
from streams.store.queries import prevalence
from streams.store.talks.listing import Order

View = Callable[..., Any]


class Problem(TypedDict):
    """Why there is no answer, and what to do."""

    error: str
    cure: str


def _shape(view: View) -> Any:
    """Return the type of a view's answer, without the None that stands for 404."""
    answer = inspect.signature(inspect.unwrap(view), eval_str=True).return_annotation
    if isinstance(answer, UnionType):
        (answer,) = (each for each in get_args(answer) if each is not type(None))
    return answer


SHAPES: dict[str, Any] = {name: _shape(view) for name, view in VIEWS.items()}
"""The type of each view's answer."""
EXAMPLES: dict[str, dict[str, Any]] = json.loads((Path(__file__).parent / "examples.json").read_text())
"""Of each view a question and its answer, lists cut: {view: {query, answer}}."""
PAGE = 1000
"""At most so many rows at once, where a view has a limit of its own."""
EVERY = 100_000
"""At most so many rows at once of anything, and so many rows of a list are counted."""
OURS = frozenset({"among", "applied", "counted"})
"""Parameters with which one view spares another work; nobody asks for them."""
COUNTED = frozenset({"listing", "review_queue", "screening_queue"})
"""Views that say a page of their `rows`, and how many `videos` there are."""
WHOLE = COUNTED | {"boilerplate"}
"""Views whose `limit` is theirs: of a page; or of examples a source."""
Offset = Annotated[int, Query(ge=0, le=EVERY, description="Leave out so many rows before them.")]
Format = Annotated[Literal["json", "csv"], Query(description="json, or csv for a spreadsheet.")]
PARAMETERS: dict[str, Any] = {
    "selection": Selected,
    "topic_id": Topic,
    "other_id": Topic,
    "newest": Annotated[bool, Query(description="The newest instead of the most probable.")],
    "search": Annotated[
        str, Query(max_length=300, description="Only with this text in title, show, channel or id.")
    ],
    "text": Annotated[str, Query(alias="q", max_length=200, description="Words to look for.")],
    "video_id": Annotated[str, Query(max_length=1000, description="The video, as in /api/talks.")],
    "settled": Annotated[bool, Query(description="Also those that were replayed or dropped.")],
    "letter_id": Annotated[str, Query(min_length=1, max_length=64, description="Its id, or how it begins.")],
    "revision": Annotated[int, Query(ge=0, lt=2**32, description="Empty: the newest.")],
    "codebook": Annotated[int, Query(ge=0, lt=2**32, description="As of this revision of the codebook.")],
    "model": Annotated[
        str, Query(max_length=300, description="A model's version; empty: that of the newest epoch.")
    ],
    "since": Annotated[int, Query(ge=0, lt=2**32, description="Only later revisions than this.")],
    "by": Annotated[Literal["hour", "day"], Query(description="What a row is of.")],
    "verdict": Annotated[
        Literal["", "accepted", "rejected", "waiting"],
        Query(description="Only these; waiting: not judged yet."),
    ],
    "rule": Annotated[str, Query(max_length=300, description="Only of this rule.")],
    "destination": Annotated[str, Query(max_length=300, description="Only to this destination.")],
    "state": Annotated[str, Query(max_length=300, description="Only in this state.")],
    "first": Annotated[AwareDatetime, Query(description="From this moment on (ISO 8601, with its zone).")],
    "last": Annotated[AwareDatetime, Query(description="Up to this moment, without it.")],
    "offset": Offset,
    "order": Annotated[Order, Query(description="What they are sorted by.")],
    "ascending": Annotated[bool, Query(description="The smallest first.")],
}
"""What is asked for under each name."""
MISSING = {
    "topic": ("there is no topic {topic_id}", "see /api/topics for those there are"),
    "talk": ("there is no talk {video_id!r:.40}", "see /api/talks for those there are"),
    "dead_letter": (
        "not exactly one dead letter has an id that begins with {letter_id!r}",
        "find the id at /api/dead_letters?settled=true",
    ),
}
"""Cause and cure where a view knows nothing."""
CHEAPER: dict[str, Callable[..., int]] = {
    "quotes": lambda warehouse, topic_id, selection, **_: len(
        prevalence.videos(warehouse, topic_id, None, selection, EVERY)
    ),
}
"""How many rows a view has, where reading them all costs much; others are read, counted and cut."""


def mount(web: FastAPI, kept: ViewCache, study: str) -> None:
    """Add the endpoints /api/<view> to `web`."""
    for name, view in VIEWS.items():
        web.get(
            f"/api/{name}",
            name=name,
            operation_id=name,
            summary=name,
            description=inspect.getdoc(view),
            tags=["views"],
            response_model=SHAPES.get(name),
            responses=_responses(name),
        )(_endpoint(kept, name, inspect.unwrap(view), study))
    described = web.openapi

    def with_examples() -> dict[str, Any]:
        whole = described()
        for name, example in EXAMPLES.items():
            # Put in here, because FastAPI leaves out what is null in an example.
            answers = whole["paths"].get(f"/api/{name}", {}).get("get", {}).get("responses", {})
            if "200" in answers:
                answers["200"]["content"]["application/json"]["example"] = example["answer"]
        return whole

    web.openapi = with_examples  # type: ignore[method-assign]


def columns(name: str) -> list[str]:
    """Return the columns of a view's CSV.

    Example:
        >>> columns("topic_months")[:3], columns("screening_queue")[:2]
        (['videos', 'of_videos', 'share'], ['video_id', 'title'])
    """
    shape = SHAPES[name]
    if get_origin(shape) is not list and "rows" in get_type_hints(shape):
        shape = get_type_hints(shape)["rows"]
    return list(get_type_hints(get_args(shape)[0] if get_origin(shape) is list else shape))


def _endpoint(kept: ViewCache, name: str, view: View, study: str) -> View:
    taken = list(inspect.signature(view, eval_str=True).parameters.values())[1:]
    listed = get_origin(SHAPES.get(name)) is list and name not in WHOLE
    default = next((each.default for each in taken if each.name == "limit"), None)
    file = f"groundswell-{study}-{name}.csv"

    def asked(request: Request, **given: Any) -> Response:
        with kept.reading():
            return answered(request, **given)

    def answered(request: Request, **given: Any) -> Response:
        spoken = given.pop("format")
        if not listed:
            if spoken == "csv" and "limit" in given and "limit" not in request.query_params:
                given["limit"] = EVERY
            found = kept.ask(view, **given)
            if found is None:
                cause, cure = MISSING.get(name, ("there is nothing of that", "see /api"))
                raise RequestRefused(404, cause.format(**given), cure)
            rows, part = (found if isinstance(found, list) else found.get("rows", [found])), None
            if name in COUNTED:
                part = Part(given["offset"], given["limit"], len(rows), found["videos"])
        else:
            offset, limit = given.pop("offset"), given.pop("limit")
            limit = limit or (EVERY if spoken == "csv" else default) or EVERY
            found, part = _page(kept, name, view, given, offset, limit, own=default is not None)
            rows = found
        if spoken == "csv":
            return answer(request, as_csv(rows, columns(name)), CSV, part, file)
        return answer(request, as_json(found), "application/json", part)

    asked.__signature__ = inspect.Signature(_asked(taken, listed, default))  # type: ignore[attr-defined]
    asked.__name__ = name
    return asked


def _page(  # noqa: PLR0917
    kept: ViewCache,
    name: str,
    view: View,
    given: Mapping[str, Any],
    offset: int,
    limit: int,
    *,
    own: bool,
) -> tuple[list[Any], Part]:
    """Return a page of a view's rows; `own`: the view takes a limit."""
    if name in CHEAPER:
        found = kept.ask(view, **given, limit=offset + limit)
        total = kept.ask(CHEAPER[name], **given)
    else:
        found = kept.ask(view, **given, **({"limit": EVERY} if own else {}))
        total = len(found)
    rows = found[offset : offset + limit]
    return rows, Part(offset, limit, len(rows), max(total, offset + len(rows) if rows else 0))


def _asked(taken: list[inspect.Parameter], listed: bool, default: int | None) -> list[inspect.Parameter]:
    """The parameters of an endpoint, as FastAPI reads them."""
    keyword = inspect.Parameter.KEYWORD_ONLY
    found = [inspect.Parameter("request", keyword, annotation=Request)]
    for each in taken:
        if each.name in {"limit", *OURS} or (listed and each.name == "offset"):
            continue
        annotation = PARAMETERS.get(each.name, each.annotation)
        if each.name == "selection":
            found.append(inspect.Parameter(each.name, keyword, annotation=annotation))
            continue
        if each.default is None:
            annotation = (
                annotation | None if not hasattr(annotation, "__metadata__") else _optional(annotation)
            )
        found.append(each.replace(kind=keyword, annotation=annotation))
    most = PAGE if default is not None and default <= PAGE else EVERY
    if listed:
        empty = f"{default}, and all of them as CSV" if default is not None else "all of them"
        part = Annotated[
            int | None, Query(ge=1, le=most, description=f"At most so many rows; empty: {empty}.")
        ]
        found.append(inspect.Parameter("limit", keyword, default=None, annotation=part))
        found.append(inspect.Parameter("offset", keyword, default=0, annotation=Offset))
    elif default is not None:
        most_of_it = Annotated[int, Query(ge=1, le=most, description="At most so many.")]
        found.append(inspect.Parameter("limit", keyword, default=default, annotation=most_of_it))
    found.append(inspect.Parameter("format", keyword, default="json", annotation=Format))
    return found


def _optional(annotation: Any) -> Any:
    """The same annotation for what may be left out."""
    kind, *rest = get_args(annotation)
    return Annotated[(kind | None, *rest)]


def _responses(name: str) -> dict[int | str, dict[str, Any]]:
    """What an endpoint answers, for the OpenAPI."""
    plain: dict[str, Any] = {"application/json": {}, "text/csv": {"schema": {"type": "string"}}}
    headers = {
        "ETag": {
            "description": "Send it as If-None-Match to hear of changes only.",
            "schema": {"type": "string"},
        }
    }
    if name in COUNTED or (get_origin(SHAPES.get(name)) is list and name not in WHOLE):
        headers["X-Total-Count"] = {"description": "Rows of the whole list.", "schema": {"type": "integer"}}
        headers["Link"] = {
            "description": "The next and the previous page (RFC 8288).",
            "schema": {"type": "string"},
        }
    problem: dict[str, Any] = {"model": Problem}
    answers: dict[int | str, dict[str, Any]] = {
        200: {"content": plain, "headers": headers, "description": "What the view says."},
        304: {"description": "As it was when If-None-Match was sent."},
        400: problem | {"description": "The request itself is wrong: it has two lengths."},
        401: problem | {"description": "A token was sent, and it is nobody's; without one everybody reads."},
        421: problem | {"description": "This page does not answer under that name."},
        422: problem | {"description": "The question is wrong: why, and how to put it."},
        429: problem | {"description": "Too many wrong tokens of late."},
        503: problem | {"description": "The database does not answer: why, and what to do."},
    }
    if name in MISSING:
        answers[404] = problem | {"description": "There is none."}
    return answers
