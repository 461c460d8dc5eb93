"""/curation/preview, decide, history, suggestions: preview, make and undo codebook decisions."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Form, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import ConfigDict, Field

from agents.curation.codebook_commands import CodebookCommand, change_of
from agents.curation.codebook_service import EVERY, decision_of
from agents.curation.decision_preview import Preview, preview
from agents.curation.theme_suggestions import suggested
from agents.web.curation.context import CurationContext, Present, as_refusal
from agents.web.dependencies import RequestRefused
from agents.web.pages.curation.codebook import theme_page, topic_page
from agents.web.security.access import Curates, Who, login
from agents.web.site import TemplateContext, query
from models.codebook.state import CodebookState
from models.codebook.undo import undone
from models.errors import BadInput
from streams.logs.codebook_log import Conflict

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

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
    loading = threading.Lock()

    def embed(texts: Sequence[str]) -> npt.NDArray[np.float32]:
        return site.runtime.parts.embedder.embed(texts)

    @site.web.get("/curation/preview", include_in_schema=False, response_class=HTMLResponse)
    def previewed(request: Request, wish: Annotated[RequestedCommand, Query()], who: Present) -> Response:
        if not who:
            return RedirectResponse(login(str(request.url.path) + query(request.query_params)), 303)
        try:
            with as_refusal():
                return _shown(desk, request, wish, who)
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
            return _conflict(desk, request, wish, who)
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

    @site.page("/curation/suggestions", "curation_suggestions.html", section="/curation")
    def suggestions(who: Present) -> TemplateContext | Response:
        if not who:
            return RedirectResponse(login("/curation/suggestions"), 303)
        with as_refusal(), loading:
            rows = suggested(desk.ask, site.runtime.settings.codebook, embed)
        return {"title": "Suggested themes", "rows": rows}


def page_of(wish: CodebookCommand) -> str:
    """Return the address of the page with the form of a command."""
    if wish.topic_id is not None:
        return f"/curation/topics/{wish.topic_id}"
    if wish.action == "undo":
        return "/curation/history"
    if wish.topic_ids:
        return "/curation"
    return "/curation/theme" + query({"name": wish.theme})


def _shown(desk: CurationContext, request: Request, wish: CodebookCommand, who: Who, **more: Any) -> Response:
    """Show the preview of a command. Raises BadInput if the decision is not possible."""
    standing = desk.standing()
    change = change_of(desk.looking(who), standing, wish)
    found = desk.site.ask(preview, standing, change)
    return _page(desk, request, "curation_preview.html", _about(wish, standing, found) | more, 200)


def _about(wish: CodebookCommand, standing: CodebookState, found: Preview | None) -> TemplateContext:
    return {
        "title": "Preview",
        "wish": {
            name: value
            for name, value in wish.model_dump().items()
            if name not in ("note", "expected") and value not in (None, "", ())
        }
        | ({"theme": ""} if wish.action == "assign" and not wish.theme else {}),
        "back": page_of(wish),
        "expected": standing.revision,
        "preview": found,
        "note": getattr(wish, "note", ""),
        "meanwhile": [],
        "problem": None,
    }


def _again(desk: CurationContext, request: Request, wish: CodebookCommand, error: RequestRefused) -> Response:
    """Show the form of a command again, with the values entered and the error."""
    given = wish.model_dump()
    if wish.topic_id is not None:
        page, template = topic_page(desk, wish.topic_id, error, given), "curation_topic.html"
    elif wish.action in ("create theme", "describe theme", "rename theme", "remove theme"):
        known = wish.theme if wish.theme in desk.standing().themes else ""
        page, template = theme_page(desk, known, error, given), "curation_theme.html"
    else:
        raise error
    return _page(desk, request, template, page, error.status)


def _conflict(desk: CurationContext, request: Request, wish: Confirmed, who: Who) -> Response:
    """Show decisions that others made since the preview, and a new preview; nothing was written."""
    meanwhile = list(desk.log.events(after=wish.expected))[::-1]
    standing = desk.standing()
    more: TemplateContext = {"title": "Conflict with another decision", "meanwhile": meanwhile}
    try:
        found = desk.site.ask(preview, standing, change_of(desk.looking(who), standing, wish))
    except BadInput as error:
        more["problem"] = RequestRefused(409, error.cause, error.cure)
        found = None
    page = _about(wish, standing, found) | more
    return _page(desk, request, "curation_preview.html", page, 409)


def _page(
    desk: CurationContext, request: Request, template: str, page: TemplateContext, code: int
) -> Response:
    about: TemplateContext = {"section": "/curation"}
    return desk.site.render(request, template, about | page, code)
