"""/curation/several: one decision about several topics that were ticked in the codebook."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated

from fastapi import Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import Field

from agents.curation.codebook_commands import MOST, MOST_TOPICS, CodebookCommand, PlacedTopic, PlacingCommand
from agents.web.curation.context import CurationContext, Present, as_refusal
from agents.web.dependencies import RequestRefused
from agents.web.pages.curation.codebook import book_page
from agents.web.pages.curation.previewing import page, shown
from agents.web.security.access import login
from models.codebook.state import CodebookState
from streams.store.queries.selection import EVERYTHING

Topics = Annotated[list[Annotated[int, Field(ge=1, le=MOST)]], Query(max_length=MOST_TOPICS)]
Text = Annotated[str, Query(max_length=10_000)]


def mount(desk: CurationContext) -> None:
    """Add the page that previews the decision; it is confirmed as any other."""

    @desk.site.web.get("/curation/several", include_in_schema=False, response_class=HTMLResponse)
    def several(  # noqa: PLR0917 - the fields of a form
        request: Request,
        who: Present,
        topic_ids: Topics = [],  # noqa: B006 - FastAPI's way to say "none"
        theme: Text = "",
        into: Text = "",
        reason: Text = "",
        find: Text = "",
    ) -> Response:
        if not who:
            return RedirectResponse(login(f"{request.url.path}?{request.url.query}"), 303)
        given = {"theme": theme.strip(), "into": into.strip(), "reason": reason.strip()}
        try:
            with as_refusal():
                return shown(desk, request, _command(desk.standing(), topic_ids, given), who)
        except RequestRefused as error:
            again = book_page(desk, EVERYTHING, find, ticked=topic_ids, given=given, problem=error)
            return page(desk, request, "curation.html", again, error.status)


def _command(standing: CodebookState, topics: Sequence[int], given: dict[str, str]) -> CodebookCommand:
    """Return the command that the one field calls for which is filled in.

    Raises:
        RequestRefused: 422, no topic is ticked, or not exactly one field is filled in.
    """
    if not topics:
        raise RequestRefused(422, "no topic is ticked", "tick the topics that the decision is about")
    filled = [name for name, text in given.items() if text]
    if len(filled) != 1:
        raise RequestRefused(
            422,
            f"{'more than one thing' if filled else 'nothing'} is to be done with the ticked topics",
            "choose a theme, or a topic to merge them into, or give a reason to exclude them",
        )
    chosen = tuple(dict.fromkeys(topics))
    if given["reason"]:
        return CodebookCommand.model_validate(
            {"action": "exclude", "topic_ids": chosen, "reason": given["reason"]}
        )
    into = _named(standing, given["into"]) if given["into"] else None
    placed = tuple(PlacedTopic(topic_id=each, theme=given["theme"], into=into) for each in chosen)
    return PlacingCommand.model_validate({"action": "place", "placements": placed})


def _named(standing: CodebookState, text: str) -> int:
    """Return the topic that somebody typed: its name, its number, or `name (number)`.

    Raises:
        RequestRefused: 422, there is none, or several have the name.
    """
    numbered = re.search(r"(?:^|\()(\d{1,10})\)?$", text, re.ASCII)
    if numbered and int(numbered[1]) in standing.topics:
        return int(numbered[1])
    found = [
        topic_id
        for topic_id, topic in standing.topics.items()
        if topic.called.casefold() == text.casefold() and standing.merges(topic_id) is None
    ]
    if len(found) == 1:
        return found[0]
    raise RequestRefused(
        422,
        f"{'several topics are' if found else 'no topic is'} called {text[:80]!r}",
        "choose one of the suggestions, which have the topic's number",
    )
