"""The JSON API: one GET endpoint per view of `agents.views`, with the view's name and parameters.

Endpoints are plain functions, so that FastAPI runs their blocking queries in threads. Datetimes are
ISO 8601 with Z. What cannot be answered is said as {error, cure}: 422 or 404 when the question is
wrong, 503 when the database does not answer or has no tables.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Concatenate, ParamSpec, TypeVar

from fastapi import Depends, FastAPI, Query, Request
from fastapi.responses import JSONResponse

from agents import views
from streams.errors import DataError, Explained, Misconfigured, Unavailable
from streams.store import corpus as corpora
from streams.store import curation, genealogy, measure, news, read, talks
from streams.store.selection import Selection, is_period
from streams.store.warehouse import Row, Warehouse

if TYPE_CHECKING:
    from agents.runtime import Runtime

P = ParamSpec("P")
T = TypeVar("T")
PATIENCE_S = 3.0
"""How long a reader waits for a ClickHouse server that does not answer (seconds)."""
_MISSING = re.compile(r"\((UNKNOWN_TABLE|UNKNOWN_DATABASE)\)")


class Refused(Explained):
    """A question that has no answer as it was asked; `status` is HTTP's."""

    def __init__(self, status: int, cause: str, cure: str) -> None:
        super().__init__(cause, cure)
        self.status = status


def selection(  # noqa: PLR0917 - the parameters of a query, each by name
    first: Annotated[str, Query(description="First month or day of publication; empty: all.")] = "",
    last: Annotated[str, Query(description="Last month or day, inclusive; empty: all.")] = "",
    source: Annotated[str, Query(description="Only talks from this source.")] = "",
    channel: Annotated[str, Query(description="Only talks of this channel.")] = "",
    show: Annotated[str, Query(description="Only talks of this show.")] = "",
    speaker: Annotated[str, Query(description="Only talks in which this person speaks.")] = "",
    language: Annotated[str, Query(description="Only talks in this language (ISO 639-1).")] = "",
    codebook: Annotated[
        int | None,
        Query(ge=0, lt=2**32, description="As of this revision of the codebook."),
    ] = None,
) -> Selection:
    """Return the talks that a query asks for.

    Raises:
        Refused: 422, not a month or day, or the first after the last.

    Example:
        >>> selection("2025-04").first
        '2025-04'
    """
    for name, text in (("first", first), ("last", last)):
        if text and not is_period(text):
            raise Refused(
                422,
                f"the {name} month is {text[:40]!r}, which is not a month or day from 1970-01 to 2099-12",
                "write it as YYYY-MM, such as 2025-04, or as YYYY-MM-DD",
            )
    asked = Selection(first or None, last or None, source, channel, show, speaker, language, codebook)
    if asked.days[0] > asked.days[1]:
        raise Refused(422, f"the first month ({first}) is after the last ({last})", "swap them")
    return asked


def readers_warehouse(runtime: Runtime) -> Warehouse:
    """Return the warehouse to read from: chDB is shared, a server gets a client that soon gives up."""
    if runtime.settings.embedded_clickhouse:
        return runtime.parts.warehouse
    return Warehouse(runtime.settings, patience_s=PATIENCE_S)


def ask(
    warehouse: Warehouse, view: Callable[Concatenate[Warehouse, P], T], *args: P.args, **kwargs: P.kwargs
) -> T:
    """Return what a view says. Blocks: call it from a thread.

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
Topic = Annotated[int, Query(ge=1, lt=2**32, description="The topic, as in /api/topics.")]
Limit = Annotated[int, Query(ge=1, le=1000, description="At most so many rows.")]


def mount(web: FastAPI, runtime: Runtime) -> None:
    """Add the endpoints /api/<view> to `web`."""
    warehouse = readers_warehouse(runtime)

    def endpoint(view: Callable[..., Any]) -> Callable[[Callable[P, T]], Callable[P, T]]:
        return web.get(f"/api/{view.__name__}", description=inspect.getdoc(view), tags=["views"])

    @web.exception_handler(DataError)
    async def unanswerable(request: Request, error: DataError) -> JSONResponse:
        return JSONResponse({"error": error.cause, "cure": error.cure}, 422)

    @web.exception_handler(Refused)
    async def refused(request: Request, error: Refused) -> JSONResponse:
        return JSONResponse({"error": error.cause, "cure": error.cure}, error.status)

    @endpoint(read.status)
    def status() -> Row:
        return ask(warehouse, read.status)

    @endpoint(views.prevalence)
    def prevalence(selected: Selected) -> list[Row]:
        return ask(warehouse, views.prevalence, selected)

    @endpoint(views.themes)
    def themes(selected: Selected) -> list[Row]:
        return ask(warehouse, views.themes, selected)

    @endpoint(views.topics)
    def topics(selected: Selected) -> list[Row]:
        return ask(warehouse, views.topics, selected)

    @endpoint(views.topic)
    def topic(topic_id: Topic) -> Row:
        found = ask(warehouse, views.topic, topic_id)
        if found is None:
            raise Refused(404, f"there is no topic {topic_id}", "see /api/topics for those there are")
        return found

    @endpoint(views.topic_months)
    def topic_months(selected: Selected) -> list[Row]:
        return ask(warehouse, views.topic_months, selected)

    @endpoint(corpora.corpus)
    def corpus(selected: Selected) -> Any:
        return ask(warehouse, corpora.corpus, selected)

    @endpoint(corpora.provenance)
    def provenance(selected: Selected) -> Any:
        return ask(warehouse, corpora.provenance, selected)

    @endpoint(curation.codebook_standing)
    def codebook_standing(
        revision: Annotated[int | None, Query(ge=0, lt=2**32, description="Empty: the newest.")] = None,
        model: Annotated[str, Query(description="A model's version; empty: that of the newest epoch.")] = "",
    ) -> Any:
        return ask(warehouse, curation.codebook_standing, revision, model)

    @endpoint(curation.codebook_revision)
    def codebook_revision() -> Any:
        return ask(warehouse, curation.codebook_revision)

    @endpoint(curation.codebook_decisions)
    def codebook_decisions(
        limit: Annotated[int, Query(ge=1, le=100_000, description="At most so many, the newest.")] = 100,
        since: Annotated[int, Query(ge=0, lt=2**32, description="Only later revisions than this.")] = 0,
    ) -> Any:
        return ask(warehouse, curation.codebook_decisions, limit, since)

    @endpoint(curation.codebook_judgements)
    def codebook_judgements() -> Any:
        return ask(warehouse, curation.codebook_judgements)

    @endpoint(talks.talk)
    def talk(video_id: Annotated[str, Query(description="The video, as in /api/talks.")]) -> Row:
        found = ask(warehouse, talks.talk, video_id)
        if found is None:
            raise Refused(404, f"there is no talk {video_id[:40]!r}", "see /api/talks for those there are")
        return found

    @endpoint(talks.talks)
    def listed(
        limit: Limit = 100,
        search: Annotated[str, Query(description="Only with this text in title, show, channel or id.")] = "",
    ) -> list[Row]:
        return ask(warehouse, talks.talks, limit, search)

    @endpoint(talks.corrections)
    def corrections() -> list[Row]:
        return ask(warehouse, talks.corrections)

    @endpoint(measure.cooccurrence)
    def cooccurrence(selected: Selected, limit: Limit = 1000) -> list[Row]:
        return ask(warehouse, measure.cooccurrence, selected, limit)

    @endpoint(measure.videos)
    def videos(
        selected: Selected, topic_id: Topic, other_id: Topic | None = None, limit: Limit = 100
    ) -> list[Row]:
        return ask(warehouse, measure.videos, topic_id, other_id, selected, limit)

    @endpoint(read.quotes)
    def quotes(
        selected: Selected,
        topic_id: Topic,
        limit: Limit = 3,
        newest: Annotated[bool, Query(description="The newest instead of the most probable.")] = False,
    ) -> list[Row]:
        return ask(warehouse, read.quotes, topic_id, limit, newest, selected)

    @endpoint(genealogy.genealogy)
    def family(topic_id: Topic | None = None) -> list[Row]:
        return ask(warehouse, genealogy.genealogy, topic_id)

    @endpoint(genealogy.drifts)
    def drifts(topic_id: Topic | None = None, limit: Limit = 50) -> list[Row]:
        return ask(warehouse, genealogy.drifts, topic_id, limit)

    @endpoint(genealogy.health)
    def health(limit: Limit = 20) -> list[Row]:
        return ask(warehouse, genealogy.health, limit)

    @endpoint(news.alerts)
    def alerts(limit: Limit = 20) -> list[Row]:
        return ask(warehouse, news.alerts, limit)

    @endpoint(news.emergences)
    def emergences(limit: Limit = 20) -> list[Row]:
        return ask(warehouse, news.emergences, limit)

    @endpoint(news.boilerplate)
    def boilerplate(limit: Limit = 3) -> list[Row]:
        return ask(warehouse, news.boilerplate, limit)

    @endpoint(read.dead_letters)
    def dead_letters(
        settled: Annotated[bool, Query(description="Also those that were replayed or dropped.")] = False,
        limit: Limit = 200,
    ) -> list[Row]:
        return ask(warehouse, read.dead_letters, settled, limit)

    @endpoint(read.dead_letter)
    def dead_letter(
        letter_id: Annotated[
            str, Query(min_length=1, max_length=64, description="Its id, or how it begins.")
        ],
    ) -> Row:
        letter = ask(warehouse, read.dead_letter, letter_id)
        if letter is None:
            raise Refused(
                404,
                f"not exactly one dead letter has an id that begins with {letter_id!r}",
                "find the id at /api/dead_letters?settled=true",
            )
        return letter
