"""Write API for the validation of the codebook: samples of paragraphs, and people's codings."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Body
from pydantic import BaseModel, ConfigDict, Field

from agents.curation.validation.validator import COUNTED, MOST, NEAR, RANDOM
from agents.web.api.write import LONG, REFUSALS, SIGNED, TAG
from agents.web.curation.context import CurationContext
from agents.web.curation.validating import code_paragraph, draw_sample, withdraw_coding
from agents.web.security.access import Curates
from agents.web.site import Site


class Drawing(BaseModel):
    """Size of a sample."""

    model_config = ConfigDict(extra="forbid")
    counted: int = Field(
        COUNTED, ge=0, le=MOST, strict=True, description="Paragraphs of each topic that count."
    )
    near: int = Field(NEAR, ge=0, le=MOST, strict=True, description="Others of each topic's talks.")
    random: int = Field(RANDOM, ge=0, le=MOST, strict=True, description="Paragraphs of any kind.")


class Drawn(BaseModel):
    """A sample that was drawn."""

    sample: str = Field(description="Its name: the time at which it was drawn.")
    topics: list[str] = Field(description="Keys of the topics that each paragraph is coded for.")
    paragraphs: int
    population: int = Field(description="Number of paragraphs from which it was drawn.")
    drawn_by: str
    drawn_at: datetime


class CodingParagraph(BaseModel):
    """What a paragraph of the newest sample is about."""

    model_config = ConfigDict(extra="forbid")
    paragraph_id: str = Field(max_length=200, description="As in /api/coding_queue.")
    topics: list[str] = Field(max_length=200, description="Keys of topics; empty: it is about none.")
    withdrawn: bool = Field(False, strict=True, description="Your earlier coding does not count any more.")
    note: str = Field("", max_length=LONG)


class SavedCoding(BaseModel):
    """A coding that was saved or withdrawn."""

    paragraph_id: str
    topics: list[str]
    reviewer: str
    withdrawn: bool


def mount(site: Site) -> None:
    """Add the endpoints."""
    desk, web = CurationContext(site), site.web

    @web.post("/api/validation/draw", tags=[TAG], responses=REFUSALS, openapi_extra=SIGNED)
    def draw(
        who: Curates,
        drawing: Annotated[Drawing, Body(examples=[{"counted": 10, "near": 5, "random": 120}])],
    ) -> Drawn:
        """Draw a sample of paragraphs for people to code; it replaces the one before."""
        event = draw_sample(desk, who, counted=drawing.counted, near=drawing.near, random=drawing.random)
        return Drawn(
            sample=event.sample,
            topics=list(event.topics),
            paragraphs=len(event.paragraphs),
            population=event.population,
            drawn_by=event.drawn_by,
            drawn_at=event.drawn_at,
        )

    @web.post("/api/validation/code", tags=[TAG], responses=REFUSALS, openapi_extra=SIGNED)
    def code(
        who: Curates,
        coding: Annotated[
            CodingParagraph,
            Body(examples=[{"paragraph_id": "5f0c8f1c2b6a4d3e9a7b1c2d3e4f5a6b", "topics": ["agents"]}]),
        ],
    ) -> SavedCoding:
        """Record which topics a paragraph is about. It changes no number, and no topic learns from it."""
        if coding.withdrawn:
            withdraw_coding(desk, who, coding.paragraph_id)
        else:
            code_paragraph(desk, who, coding.paragraph_id, coding.topics, coding.note)
        return SavedCoding(
            paragraph_id=coding.paragraph_id,
            topics=[] if coding.withdrawn else coding.topics,
            reviewer=who.name,
            withdrawn=coding.withdrawn,
        )
