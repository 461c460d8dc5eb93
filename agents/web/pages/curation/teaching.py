"""/curation/teach: judgements of doubtful paragraphs and of quotes, and the request to learn from them."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Form, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from agents.curation.concept_teaching import Verdict
from agents.web.curation.context import CurationContext, Present
from agents.web.curation.teaching import judge_paragraph, request_refit
from agents.web.dependencies import RequestRefused
from agents.web.security.access import Curates, login
from agents.web.site import TemplateContext, query
from streams.logs.concept_judgements import is_model
from streams.store.rows.codebook import ConceptJudgement, DoubtfulParagraph

PAGE = "/curation/teach"
AHEAD = 50
"""Number of doubtful paragraphs that are looked at to find the next one."""
Id = Annotated[int | None, Query(ge=1, lt=2**32)]


def mount(desk: CurationContext) -> None:
    """Add the page and the endpoints of its forms."""
    site = desk.site

    def page(
        name: str,
        topic: int | None,
        skipped: int = 0,
        requested: bool = False,
        refused: RequestRefused | None = None,
    ) -> TemplateContext:
        rows: list[DoubtfulParagraph] = desk.ask("doubtful", topic_id=topic, reviewer=name, limit=AHEAD)
        said: list[ConceptJudgement] = desk.ask("concept_judgements")
        decided = [each for each in said if each["verdict"] != "unsure"]
        by_people = {_pair(each) for each in decided if not is_model(each["reviewer"])}
        judged = {_pair(each) for each in decided}
        return {
            "title": "Teach",
            "row": rows[skipped % len(rows)] if rows else None,
            "topic": topic,
            "skipped": skipped,
            "own": sum(each["reviewer"] == name for each in said),
            "judged": len(judged),
            "by_models": len(judged - by_people),
            "requested": requested,
            "refused": refused,
        }

    @site.page(PAGE, "curation_teach.html", section="/curation")
    def doubtful(
        who: Present,
        topic: Id = None,
        skipped: Annotated[int, Query(ge=0, le=10_000)] = 0,
        requested: bool = False,
    ) -> TemplateContext | Response:
        if not who:
            return RedirectResponse(login(PAGE), 303)
        return page(who.name, topic, skipped, requested)

    @site.web.post(PAGE, include_in_schema=False, response_class=HTMLResponse)
    def judged(
        request: Request,
        who: Curates,
        topic_id: Annotated[int, Form(ge=1, lt=2**32)],
        video_id: Annotated[str, Form(max_length=2000)],
        position: Annotated[int, Form(ge=0, lt=2**32)],
        *,
        verdict: Annotated[Literal["", "about", "not about"], Form()] = "",
        note: Annotated[str, Form(max_length=10_000)] = "",
        topic: Annotated[str, Form(max_length=20)] = "",
    ) -> Response:
        only = int(topic) if topic.isascii() and topic.isdigit() else None
        try:
            if not verdict:
                raise RequestRefused(422, "the judgement is missing", "choose About or Not about")
            judge_paragraph(desk, who, video_id, position, topic_id, verdict=verdict, note=note)
        except RequestRefused as error:
            about = page(who.name, only, refused=error) | {"section": "/curation"}
            return site.render(request, "curation_teach.html", about, error.status)
        return RedirectResponse(PAGE + query({"topic": only} if only else {}), 303)

    @site.web.post(f"{PAGE}/quote", include_in_schema=False, response_class=HTMLResponse)
    def judged_quote(
        who: Curates,
        topic_id: Annotated[int, Form(ge=1, lt=2**32)],
        video_id: Annotated[str, Form(max_length=2000)],
        paragraph_id: Annotated[str, Form(max_length=200)],
        verdict: Annotated[Verdict, Form()],
    ) -> Response:
        judge_paragraph(desk, who, video_id, paragraph_id, topic_id, verdict=verdict, note="")
        return RedirectResponse(f"/topics/{topic_id}#best", 303)

    @site.web.post(f"{PAGE}/refit", include_in_schema=False, response_class=HTMLResponse)
    def refit(request: Request, who: Curates) -> Response:
        try:
            request_refit(desk, who)
        except RequestRefused as error:
            about = page(who.name, None, refused=error) | {"section": "/curation"}
            return site.render(request, "curation_teach.html", about, error.status)
        return RedirectResponse(PAGE + query({"requested": "true"}), 303)


def _pair(judged: ConceptJudgement) -> tuple[str, str]:
    return judged["paragraph_id"], judged["concept"]
