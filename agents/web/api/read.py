"""Read API: one GET endpoint per view of `agents.queries.registry`, with the view's name and parameters.

Endpoints are plain functions, so that FastAPI runs their blocking queries in threads. Datetimes are ISO 8601
with Z. An error is {error, cure}: 422 or 404 when the request is wrong, 503 when the database does not answer
or has no tables. `agents.web.responses` defines the format of an answer, the view's return type
(`streams.store.rows`, `agents.queries.rows`) its fields, and examples.json has an example of each; tests
compare all three with real answers.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from fastapi import FastAPI, Query, Request, Response
from pydantic import AwareDatetime, BeforeValidator
from typing_extensions import TypedDict

from agents.queries.differences import Units
from agents.queries.registry import VIEWS
from agents.web.dependencies import PERIOD, RequestRefused, Selected, Topic
from agents.web.responses import CSV, Part, answer, as_csv, as_json
from agents.web.view_cache import ViewCache
from streams.store.queries import prevalence
from streams.store.talks.listing import Order
from streams.store.talks.search import Sort

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
"""Example query and answer of each view, with lists shortened: {view: {query, answer}}."""
PAGE = 1000
"""Maximum number of rows per request for views with a default limit of at most this."""
EVERY = 100_000
"""Maximum number of rows per request for all other views, and up to which rows are counted."""
OURS = frozenset({"among", "applied", "counted"})
"""Internal parameters with which one view saves another work; the API does not offer them."""
COUNTED = frozenset({"listing", "review_queue", "screening_queue"})
"""Views that return a page of `rows` and the total number of `videos`."""
WHOLE = COUNTED | {"boilerplate"}
"""Views that apply `limit` themselves: to a page, or to the examples per source."""


def _no_number(text: str) -> str:
    """Return a text that is not a number, which pydantic reads as seconds since 1970.

    Raises:
        ValueError: it is a number.
    """
    if text.strip().lstrip("+-").replace(".", "", 1).isdigit():
        raise ValueError("Input should be a time in ISO 8601, with its UTC offset")
    return text


Moment = Annotated[AwareDatetime, BeforeValidator(_no_number)]
Offset = Annotated[int, Query(ge=0, le=EVERY, description="Number of rows to skip.")]
Format = Annotated[Literal["json", "csv"], Query(description="Format: json, or csv for spreadsheets.")]
PARAMETERS: dict[str, Any] = {
    "selection": Selected,
    "topic_id": Topic,
    "other_id": Topic,
    "newest": Annotated[bool, Query(description="Return the newest instead of the most probable.")],
    "search": Annotated[
        str, Query(max_length=300, description="Only talks with this text in title, show, channel or id.")
    ],
    "text": Annotated[
        str,
        Query(alias="q", max_length=200, description="Words in any form; those in double quotes as written."),
    ],
    "of": Annotated[Units, Query(description="Rows: one for each theme, or for each topic.")],
    "other_first": Annotated[
        str, Query(description="The other selection's first month or day.", json_schema_extra=PERIOD)
    ],
    "other_last": Annotated[str, Query(description="Its last month or day.", json_schema_extra=PERIOD)],
    "other_source": Annotated[str, Query(max_length=300, description="Its source.")],
    "other_channel": Annotated[str, Query(max_length=300, description="Its channel.")],
    "other_show": Annotated[str, Query(max_length=300, description="Its show.")],
    "other_speaker": Annotated[str, Query(max_length=300, description="Its speaker.")],
    "other_language": Annotated[str, Query(max_length=300, description="Its language (ISO 639-1).")],
    "sort": Annotated[Sort, Query(description="Order of the quotes: the newest or most relevant first.")],
    "video_id": Annotated[str, Query(max_length=1000, description="Id of the talk, as in /api/talks.")],
    "settled": Annotated[bool, Query(description="Include dead letters that were replayed or dropped.")],
    "letter_id": Annotated[str, Query(min_length=1, max_length=64, description="Id or unique prefix of it.")],
    "revision": Annotated[int, Query(ge=0, lt=2**32, description="Codebook revision; empty: the newest.")],
    "codebook": Annotated[int, Query(ge=0, lt=2**32, description="As of this revision of the codebook.")],
    "model": Annotated[
        str, Query(max_length=300, description="Version of a topic model; empty: the newest epoch's.")
    ],
    "since": Annotated[int, Query(ge=0, lt=2**32, description="Only revisions later than this one.")],
    "by": Annotated[Literal["hour", "day"], Query(description="Length of time that a row covers.")],
    "verdict": Annotated[
        Literal["", "accepted", "rejected", "waiting"],
        Query(description="Only talks with this verdict; waiting: not judged yet."),
    ],
    "reviewer": Annotated[str, Query(max_length=300, description="Leave out what this person has judged.")],
    "of_topic": Annotated[
        int, Query(ge=0, le=2000, description="Paragraphs of each topic that count for it.")
    ],
    "near": Annotated[int, Query(ge=0, le=2000, description="Others of each topic's talks.")],
    "random": Annotated[int, Query(ge=0, le=2000, description="Paragraphs of any kind.")],
    "rule": Annotated[str, Query(max_length=300, description="Only entries of this rule.")],
    "destination": Annotated[str, Query(max_length=300, description="Only deliveries to this destination.")],
    "state": Annotated[str, Query(max_length=300, description="Only entries in this state.")],
    "first": Annotated[Moment, Query(description="From this time on (ISO 8601 with UTC offset).")],
    "last": Annotated[Moment, Query(description="Up to this time, exclusive.")],
    "placements": Annotated[
        str, Query(max_length=40_000, description="TOPIC=theme:NAME or TOPIC=into:TOPIC, one a line.")
    ],
    "offset": Offset,
    "order": Annotated[Order, Query(description="Column to sort by.")],
    "ascending": Annotated[bool, Query(description="Sort in ascending order.")],
}
"""Type and description of each view parameter in the API, by name."""
MISSING = {
    "topic": ("there is no topic {topic_id}", "see /api/topics for the existing topics"),
    "talk": ("there is no talk {video_id!r:.40}", "see /api/talks for the existing talks"),
    "dead_letter": (
        "no dead letter, or more than one, has an id that begins with {letter_id!r}",
        "find the id at /api/dead_letters?settled=true",
    ),
}
"""Cause and cure when a view finds nothing (404)."""
CHEAPER: dict[str, Callable[..., int]] = {
    "quotes": lambda warehouse, topic_id, selection, **_: len(
        prevalence.videos(warehouse, topic_id, None, selection, EVERY)
    ),
}
"""Row counts of views that are expensive to read in full; other views are read, counted and cut."""


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
            # Added here, because FastAPI drops null values from examples.
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
                cause, cure = MISSING.get(name, ("nothing was found", "see /api for what can be requested"))
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
    """Return a page of a view's rows; `own`: the view itself takes a limit."""
    if name in CHEAPER:
        found = kept.ask(view, **given, limit=offset + limit)
        total = kept.ask(CHEAPER[name], **given)
    else:
        found = kept.ask(view, **given, **({"limit": EVERY} if own else {}))
        total = len(found)
    rows = found[offset : offset + limit]
    return rows, Part(offset, limit, len(rows), max(total, offset + len(rows) if rows else 0))


def _asked(taken: list[inspect.Parameter], listed: bool, default: int | None) -> list[inspect.Parameter]:
    """Return the parameters of an endpoint in the form that FastAPI reads."""
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
        empty = f"{default}, or all rows as CSV" if default is not None else "all rows"
        part = Annotated[
            int | None, Query(ge=1, le=most, description=f"Maximum number of rows; empty: {empty}.")
        ]
        found.append(inspect.Parameter("limit", keyword, default=None, annotation=part))
        found.append(inspect.Parameter("offset", keyword, default=0, annotation=Offset))
    elif default is not None:
        most_of_it = Annotated[int, Query(ge=1, le=most, description="Maximum number of rows.")]
        found.append(inspect.Parameter("limit", keyword, default=default, annotation=most_of_it))
    found.append(inspect.Parameter("format", keyword, default="json", annotation=Format))
    return found


def _optional(annotation: Any) -> Any:
    """Return the annotation for an optional parameter."""
    kind, *rest = get_args(annotation)
    return Annotated[(kind | None, *rest)]


def _responses(name: str) -> dict[int | str, dict[str, Any]]:
    """Return the possible responses of an endpoint for the OpenAPI document."""
    plain: dict[str, Any] = {"application/json": {}, "text/csv": {"schema": {"type": "string"}}}
    headers = {
        "ETag": {
            "description": "Send it as If-None-Match to get an answer only after a change.",
            "schema": {"type": "string"},
        }
    }
    if name in COUNTED or (get_origin(SHAPES.get(name)) is list and name not in WHOLE):
        headers["X-Total-Count"] = {"description": "Rows of the whole list.", "schema": {"type": "integer"}}
        headers["Link"] = {
            "description": "Links to the next and the previous page (RFC 8288).",
            "schema": {"type": "string"},
        }
    problem: dict[str, Any] = {"model": Problem}
    answers: dict[int | str, dict[str, Any]] = {
        200: {"content": plain, "headers": headers, "description": "The result of the view."},
        304: {"description": "Unchanged since the answer with the ETag in If-None-Match."},
        400: problem | {"description": "Malformed: both Content-Length and Transfer-Encoding were sent."},
        401: problem | {"description": "The token is not valid; reading needs no token."},
        421: problem | {"description": "This server does not answer requests for that host name."},
        422: problem | {"description": "A parameter is invalid; the cure says how to correct it."},
        429: problem | {"description": "Too many invalid tokens were sent recently."},
        503: problem | {"description": "The database does not answer; the cure says what to do."},
    }
    if name in MISSING:
        answers[404] = problem | {"description": "Not found."}
    return answers
