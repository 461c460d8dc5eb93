"""Corrections of a talk from its page: withdraw, restore, redate, keep. The form is `correct.html`."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import Form, Response
from fastapi.responses import RedirectResponse

from agents.web.curation.context import CurationContext
from agents.web.curation.corrections import What, correct_talk
from agents.web.dependencies import RequestRefused
from agents.web.security.access import Curates


def mount(desk: CurationContext) -> None:
    """Add the endpoint of the form."""

    @desk.site.web.post("/curation/talks", include_in_schema=False)
    def correct(
        who: Curates,
        video_id: Annotated[str, Form(max_length=2000)],
        what: Annotated[What, Form()],
        reason: Annotated[str, Form(max_length=10_000)] = "",
        published: Annotated[str, Form(max_length=100)] = "",
    ) -> Response:
        found = correct_talk(desk, who, video_id, what, reason=reason, published=published)
        if found.event is None:
            raise RequestRefused(409, found.said, "reload the page of the talk")
        return RedirectResponse(f"/talks/{quote(video_id, safe='')}", 303)
