"""Corrections of a talk from its page: withdraw, restore, redate, keep. The form is `correct.html`."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import Form, Response
from fastapi.responses import RedirectResponse

from agents.curation.video_corrections import Corrected, Corrector, moment_of
from agents.web.curation_context import PATIENCE_S, CurationContext, as_refusal
from agents.web.dependencies import RequestRefused
from agents.web.security.access import Curates, Who

What = Literal["withdraw", "restore", "redate", "keep"]


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
        found = corrected(desk, who, video_id, what, reason=reason, published=published)
        if found.event is None:
            raise RequestRefused(409, found.said, "reload the page of the talk")
        return RedirectResponse(f"/talks/{quote(video_id, safe='')}", 303)


def corrected(
    desk: CurationContext, who: Who, video_id: str, what: What, *, reason: str, published: str
) -> Corrected:
    """Apply a person's correction of a talk.

    Raises:
        RequestRefused: 422, there is no such talk, no reason, or no such date.
        Unavailable: it is kept, but could not be sent.
    """
    now = desk.site.runtime.parts.now
    with as_refusal(), desk.deliver() as deliver:
        corrector = Corrector(desk.blobs, desk.ask, deliver, now, who.name, patience_s=PATIENCE_S)
        match what:
            case "withdraw":
                return corrector.withdraw([video_id], reason)[0]
            case "restore":
                return corrector.restore([video_id], reason)[0]
            case "redate":
                return corrector.redate(video_id, moment_of(published, now()), reason)[0]
            case "keep":
                return corrector.keep(video_id, reason)[0]
