"""/curation/review, agreement: reviewers judge one topic after another, independently of each other."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Form, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from agents.curation.agreement import agreed, describe_agreement
from agents.curation.codebook_service import standing_of
from agents.web.curation.context import CurationContext, Present
from agents.web.dependencies import RequestRefused
from agents.web.pages.curation.codebook import evidence_of
from agents.web.security.access import Curates, login
from agents.web.site import TemplateContext, query
from models.codebook.state import CodebookState
from streams.store.rows.codebook import Judgement


def mount(desk: CurationContext) -> None:
    """Add the pages."""
    site = desk.site

    def page(
        name: str, topic_id: int | None, after: int, refused: RequestRefused | None = None
    ) -> TemplateContext:
        row = desk.row()
        standing = standing_of(row)
        own = {each["topic_id"]: each for each in _judgements(desk) if each["reviewer"] == name}
        every = _queue(standing)
        wanted = topic_id if topic_id in every else _next(every, set(own), after)
        about: TemplateContext = {
            "title": "Review",
            "judged": sum(each in own for each in every),
            "of_topics": len(every),
            "topic": None,
            "own": None,
            "refused": refused,
            "themes": sorted(standing.themes, key=str.casefold),
        }
        if wanted is None:
            return about
        topic = standing.topics[wanted]
        return (
            about
            | evidence_of(desk, row, wanted)
            | {
                # The codebook's entry stays hidden, because it is already somebody's judgement.
                "topic": {"id": wanted, "name": topic.own or topic.called or f"topic {wanted}"},
                "own": own.get(wanted),
            }
        )

    @site.page("/curation/review", "curation_review.html", section="/curation")
    def review(
        who: Present,
        topic: Annotated[int | None, Query(ge=1, lt=2**32)] = None,
        after: Annotated[int, Query(ge=0, lt=2**32)] = 0,
    ) -> TemplateContext | Response:
        if not who:
            return RedirectResponse(login("/curation/review"), 303)
        return page(who.name, topic, after)

    @site.web.post("/curation/review", include_in_schema=False, response_class=HTMLResponse)
    def reviewed(
        request: Request,
        who: Curates,
        topic: Annotated[int, Form(ge=1, lt=2**32)],
        *,
        verdict: Annotated[Literal["", "include", "exclude"], Form()] = "",
        theme: Annotated[str, Form(max_length=10_000)] = "",
        note: Annotated[str, Form(max_length=10_000)] = "",
    ) -> Response:
        try:
            if not verdict:
                raise RequestRefused(422, "the judgement is missing", "choose Include or Exclude")
            with desk.curator(who) as curator:
                curator.judge(topic, verdict, theme if verdict == "include" else "", note)
        except RequestRefused as error:
            shown: TemplateContext = {"section": "/curation"}
            found = page(who.name, topic, 0, error)
            found["own"] = {"verdict": verdict, "theme": theme, "note": note}
            return site.render(request, "curation_review.html", shown | found, error.status)
        return RedirectResponse("/curation/review" + query({"after": topic}), 303)

    @site.page(
        "/curation/agreement",
        "curation_agreement.html",
        section="/curation",
        twin="/api/codebook_judgements",
    )
    def agreement(who: Present) -> TemplateContext:
        rows = _judgements(desk)
        own = {row["topic_id"] for row in rows if who and row["reviewer"] == who.name}
        found = agreed(rows)
        shown = [each for each in found.disagreements if not who or each["topic_id"] in own]
        counts: dict[str, int] = {}
        for row in rows:
            counts[row["reviewer"]] = counts.get(row["reviewer"], 0) + 1
        return {
            "title": "Agreement",
            "reviewers": sorted(counts.items()),
            "pairs": found.pairs,
            "told": describe_agreement,
            "disagreements": shown,
            "hidden": len(found.disagreements) - len(shown),
        }


def _judgements(desk: CurationContext) -> list[Judgement]:
    rows: list[Judgement] = desk.ask("codebook_judgements")
    return rows


def _queue(standing: CodebookState) -> list[int]:
    """Return the topics to judge: all that are not merged into another, excluded ones too."""
    return [topic_id for topic_id in sorted(standing.topics) if standing.merges(topic_id) is None]


def _next(every: list[int], judged: set[int], after: int) -> int | None:
    """Return the first unjudged topic after `after`, else the first unjudged one, else None."""
    rest = [topic_id for topic_id in every if topic_id not in judged]
    return next((each for each in rest if each > after), rest[0] if rest else None)
