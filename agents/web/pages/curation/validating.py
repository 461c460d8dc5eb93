"""/curation/validate: codes one paragraph of the sample after another, and shows what the codings say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import Form, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from agents.curation.validation.coding_sheet import NONE, definitions
from agents.curation.validation.validator import COUNTED, MOST, NEAR, RANDOM
from agents.queries.validation import ValidatedCount
from agents.web.curation.context import CurationContext, Present
from agents.web.curation.validating import code_paragraph, draw_sample
from agents.web.dependencies import RequestRefused
from agents.web.security.access import Curates, login
from agents.web.site import TemplateContext, query
from models.codebook.codebook import load
from streams.store.rows.validation import CodingTask, ValidationSample

PAGE = "/curation/validate"
Size = Annotated[int, Form(ge=0, le=MOST)]


def mount(desk: CurationContext) -> None:
    """Add the page and the endpoints of its forms."""
    site = desk.site

    def page(
        name: str, skipped: int = 0, drawn: bool = False, refused: RequestRefused | None = None
    ) -> TemplateContext:
        samples: list[ValidationSample] = desk.ask("validation_samples")
        left: list[CodingTask] = desk.ask("coding_queue", reviewer=name) if samples else []
        results: list[ValidatedCount] = desk.ask("validation") if samples else []
        return {
            "title": "Validate",
            "sample": samples[0] if samples else None,
            "row": left[skipped % len(left)] if left else None,
            "skipped": skipped,
            "coded": samples[0]["paragraphs"] - len(left) if samples else 0,
            "themes": _by_theme(definitions(load(site.runtime.settings.codebook), samples[0]["topics"]))
            if left
            else {},
            "none": NONE,
            "results": results,
            "sizes": {"counted": COUNTED, "near": NEAR, "random": RANDOM},
            "most": MOST,
            "drawn": drawn,
            "refused": refused,
        }

    @site.page(PAGE, "curation_validate.html", section="/curation", twin="/api/validation")
    def validate(
        who: Present, skipped: Annotated[int, Query(ge=0, le=10_000)] = 0, drawn: bool = False
    ) -> TemplateContext | Response:
        if not who:
            return RedirectResponse(login(PAGE), 303)
        return page(who.name, skipped, drawn)

    def refusal(request: Request, name: str, error: RequestRefused) -> Response:
        about = page(name, refused=error) | {"section": "/curation"}
        return site.render(request, "curation_validate.html", about, error.status)

    @site.web.post(PAGE, include_in_schema=False, response_class=HTMLResponse)
    def coded(
        request: Request,
        who: Curates,
        paragraph_id: Annotated[str, Form(max_length=200)],
        topics: Annotated[list[str], Form(max_length=200)] = [],  # noqa: B006 - FastAPI copies it
        note: Annotated[str, Form(max_length=10_000)] = "",
    ) -> Response:
        try:
            if not topics:
                raise RequestRefused(422, "no topic is ticked", "tick what it is about, or None of these")
            if NONE in topics and len(topics) > 1:
                raise RequestRefused(422, "None of these is ticked, and a topic too", "leave one of both out")
            code_paragraph(desk, who, paragraph_id, [each for each in topics if each != NONE], note)
        except RequestRefused as error:
            return refusal(request, who.name, error)
        return RedirectResponse(PAGE, 303)

    @site.web.post(f"{PAGE}/draw", include_in_schema=False, response_class=HTMLResponse)
    def draw(request: Request, who: Curates, counted: Size, near: Size, random: Size) -> Response:
        try:
            draw_sample(desk, who, counted=counted, near=near, random=random)
        except RequestRefused as error:
            return refusal(request, who.name, error)
        return RedirectResponse(PAGE + query({"drawn": "true"}), 303)


def _by_theme(topics: list[Mapping[str, str]]) -> dict[str, list[Mapping[str, str]]]:
    found: dict[str, list[Mapping[str, str]]] = {}
    for topic in topics:
        found.setdefault(topic["theme"], []).append(topic)
    return found
