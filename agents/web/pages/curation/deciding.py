"""/curation/preview, decide, history: preview, make and undo codebook decisions."""

from __future__ import annotations

from typing import Annotated

from fastapi import Form, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import ConfigDict, Field

from agents.curation.codebook_commands import CodebookCommand, change_of
from agents.curation.codebook_service import EVERY, decision_of
from agents.web.curation.context import CurationContext, Present, as_refusal
from agents.web.dependencies import RequestRefused
from agents.web.pages.curation.codebook import theme_page, topic_page
from agents.web.pages.curation.previewing import conflict, page, shown
from agents.web.security.access import Curates, login
from agents.web.site import TemplateContext
from models.codebook.undo import undone
from streams.logs.codebook_log import Conflict

PAGE = 50
"""Decisions per page of the history."""


class RequestedCommand(CodebookCommand):
    """A codebook command from query parameters; unknown parameters are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Confirmed(RequestedCommand):
    """A command confirmed by a person after its preview."""

    note: str = Field("", max_length=10_000)
    expected: int = Field(ge=0, lt=2**32)
    """The revision that the preview was based on."""


def mount(desk: CurationContext) -> None:
    """Add the pages."""
    site = desk.site

    @site.web.get("/curation/preview", include_in_schema=False, response_class=HTMLResponse)
    def previewed(request: Request, wish: Annotated[RequestedCommand, Query()], who: Present) -> Response:
        if not who:
            return RedirectResponse(login(f"{request.url.path}?{request.url.query}"), 303)
        try:
            with as_refusal():
                return shown(desk, request, wish, who)
        except RequestRefused as error:
            return _again(desk, request, wish, error)

    @site.web.post("/curation/decide", include_in_schema=False, response_class=HTMLResponse)
    def decide(request: Request, who: Curates, wish: Annotated[Confirmed, Form()]) -> Response:
        try:
            with desk.curator(who) as curator:
                event = curator.decide(
                    lambda standing: change_of(curator, standing, wish), wish.note, wish.expected
                )
        except Conflict:
            return conflict(desk, request, wish, wish.expected, who)
        except RequestRefused as error:
            return _again(desk, request, wish, error)
        return RedirectResponse(f"/curation?decided={event.revision}", 303)

    @site.page(
        "/curation/history", "curation_history.html", section="/curation", twin="/api/codebook_decisions"
    )
    def history(who: Present, before: Annotated[int | None, Query(ge=1, lt=2**32)] = None) -> TemplateContext:
        every = desk.ask("codebook_decisions", limit=EVERY)
        model = desk.ask("codebook_revision")["model_version"]
        gone = undone(map(decision_of, every))
        rows = [row for row in every if before is None or row["revision"] < before]
        return {
            "title": "History of the codebook",
            "decisions": [
                row | {"undone_by": gone.get(row["revision"]), "of_this_model": row["model_version"] == model}
                for row in rows[:PAGE]
            ],
            "earlier": rows[PAGE - 1]["revision"] if len(rows) > PAGE else None,
            "before": before,
        }


def _again(desk: CurationContext, request: Request, wish: CodebookCommand, error: RequestRefused) -> Response:
    """Show the form of a command again, with the values entered and the error."""
    given = wish.model_dump()
    if wish.topic_id is not None:
        about, template = topic_page(desk, wish.topic_id, error, given), "curation_topic.html"
    elif wish.action in ("create theme", "describe theme", "rename theme", "remove theme"):
        known = wish.theme if wish.theme in desk.standing().themes else ""
        about, template = theme_page(desk, known, error, given), "curation_theme.html"
    else:
        raise error
    return page(desk, request, template, about, error.status)
