"""/curation/speakers: the speakers of a talk, links to hear them, and forms to name them."""

from __future__ import annotations

from typing import Annotated

from fastapi import Form, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from agents.web.curation.context import CurationContext, Present
from agents.web.curation.speaker_names import name_speaker, speakers_of_talk
from agents.web.dependencies import RequestRefused
from agents.web.player import player
from agents.web.security.access import Curates, login
from agents.web.site import TemplateContext, query

PAGE = "/curation/speakers"
Id = Annotated[str, Query(max_length=2000)]


def mount(desk: CurationContext) -> None:
    """Add the page and the endpoint of its forms."""
    site = desk.site

    def page(
        video_id: str, refused: RequestRefused | None = None, given: tuple[str, str] = ("", "")
    ) -> TemplateContext:
        found = speakers_of_talk(desk, video_id)
        return {
            "title": found.talk["title"] or video_id,
            "talk": found.talk,
            "player": player(found.talk["url"]),
            "speakers": found.speakers,
            "refused": refused,
            "given": given,
        }

    @site.page(PAGE, "speakers.html", section="/talks")
    def listed(who: Present, video_id: Id = "") -> TemplateContext | Response:
        if not video_id:
            return RedirectResponse("/talks", 302)
        if not who:
            return RedirectResponse(login(PAGE + query({"video_id": video_id})), 303)
        return page(video_id)

    @site.web.post(PAGE, include_in_schema=False, response_class=HTMLResponse)
    def say(
        request: Request,
        who: Curates,
        video_id: Annotated[str, Form(max_length=2000)],
        speaker: Annotated[str, Form(max_length=2000)],
        *,
        name: Annotated[str, Form(max_length=10_000)] = "",
        reason: Annotated[str, Form(max_length=10_000)] = "",
    ) -> Response:
        try:
            found = name_speaker(desk, who, video_id, speaker, name, reason=reason)
            if found.event is None:
                raise RequestRefused(409, found.said, "reload the page of the speakers")
        except RequestRefused as error:
            about = page(video_id, error, (speaker, name)) | {"section": "/talks"}
            return site.render(request, "speakers.html", about, error.status)
        return RedirectResponse(PAGE + query({"video_id": video_id}), 303)
