"""Write API for teaching concepts: judgements of paragraphs, and the request to learn from them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Body
from pydantic import BaseModel, ConfigDict, Field

from agents.curation.codebook_commands import MOST
from agents.web.api.write import LONG, REFUSALS, SIGNED, TAG, Said
from agents.web.curation.context import CurationContext
from agents.web.curation.teaching import judge_paragraph, request_refit
from agents.web.security.access import Curates
from agents.web.site import Site


class JudgingParagraph(BaseModel):
    """Whether a paragraph is about a topic of the codebook."""

    model_config = ConfigDict(extra="forbid")
    video_id: str = Field(max_length=2000)
    position: int = Field(ge=0, le=MOST, description="Index of the paragraph in the transcript that counts.")
    topic_id: int = Field(ge=1, le=MOST)
    verdict: Literal["about", "not about", "withdrawn"] = Field(
        description="withdrawn: your earlier judgement does not count any more."
    )
    note: str = Field("", max_length=LONG)


class ParagraphJudged(BaseModel):
    """A judgement that was saved."""

    video_id: str
    paragraph_id: str
    concept: str = Field(description="The topic's key in the codebook.")
    verdict: Literal["about", "not about", "withdrawn"]
    reviewer: str
    note: str
    judged_at: datetime


class RefitRequested(BaseModel):
    """A request that was sent."""

    request_id: str
    judgements: int = Field(description="Number of judged pairs of paragraph and topic.")


IDLE: dict[int | str, dict[str, Any]] = {
    409: {"model": Said, "description": "The study is not running, so the request would not be processed."}
}


def mount(site: Site) -> None:
    """Add the endpoints."""
    desk, web = CurationContext(site), site.web

    @web.post("/api/concepts/judge", tags=[TAG], responses=REFUSALS, openapi_extra=SIGNED)
    def judge_concept(
        who: Curates,
        judging: Annotated[
            JudgingParagraph,
            Body(
                examples=[{"video_id": "dQw4w9WgXcQ", "position": 4, "topic_id": 2, "verdict": "not about"}]
            ),
        ],
    ) -> ParagraphJudged:
        """Record whether a paragraph is about a topic; it changes numbers with the next refit."""
        event = judge_paragraph(
            desk,
            who,
            judging.video_id,
            judging.position,
            judging.topic_id,
            verdict=judging.verdict,
            note=judging.note,
        )
        return ParagraphJudged.model_validate(event, from_attributes=True)

    @web.post("/api/concepts/refit", tags=[TAG], responses=REFUSALS | IDLE, openapi_extra=SIGNED)
    def refit(who: Curates) -> RefitRequested:
        """Fit the topics of the codebook to all judgements, and judge every talk again."""
        event, judgements = request_refit(desk, who)
        return RefitRequested(request_id=event.event_id, judgements=judgements)
