"""The part of the API that changes something: with `Authorization: Bearer TOKEN`, one POST a decision.

An answer to a conflict names the newest revision, so that a program can look again and decide anew.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Body, FastAPI
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from agents.curation.codebook_commands import MOST, CodebookCommand, change_of
from agents.curation.decision_preview import preview
from agents.web.curation_context import CurationContext, as_refusal
from agents.web.pages.curation.correcting import What, corrected
from agents.web.pages.curation.naming import named
from agents.web.pages.review import judged
from agents.web.security.access import Curates
from agents.web.site import Site
from streams.events import TalkKind
from streams.logs.codebook_log import Conflict

LONG = 10_000
TAG = "changes"


class Said(BaseModel):
    """Why it did not happen, and what to do."""

    error: str
    cure: str


class Clash(Said):
    """Somebody decided meanwhile; nothing was changed."""

    revision: int = Field(description="The newest revision now.")


class Wish(CodebookCommand):
    """What somebody wants to decide; each action looks only at the fields that it needs."""


class Deciding(Wish):
    """A wish, what is to be remembered about it, and the revision that it was made from."""

    note: str = Field("", max_length=LONG, description="What else is to be remembered about it.")
    expected: int | None = Field(
        None,
        ge=0,
        le=MOST,
        description="Decide only if this is still the newest revision; empty: whichever it is.",
    )


class Decided(BaseModel):
    """A decision that was made."""

    revision: int
    said: str
    author: str
    decided_at: datetime


class Count(BaseModel):
    """How a theme or topic counts before and after; a name is empty where it does not count."""

    name: str
    name_after: str
    videos: int
    videos_after: int
    share: float = Field(ge=0, le=1)
    share_after: float = Field(ge=0, le=1)


class Previewed(BaseModel):
    """What a decision would change in the numbers; nothing is written."""

    said: str
    revision: int = Field(description="The revision that it was counted from: send it as `expected`.")
    of_videos: int
    of_videos_after: int
    themes: list[Count]
    topics: list[Count]
    others: int = Field(description="Themes and topics with the same videos whose share differs.")


class Judging(BaseModel):
    """What a reviewer thinks of a topic."""

    model_config = ConfigDict(extra="forbid")
    topic_id: int = Field(ge=1, le=MOST)
    verdict: Literal["include", "exclude"]
    theme: str = Field("", max_length=LONG)
    note: str = Field("", max_length=LONG)


class Judged(BaseModel):
    """A judgement that is kept."""

    topic_id: int
    reviewer: str
    verdict: Literal["include", "exclude"]
    theme: str
    note: str
    judged_at: datetime


class Correcting(BaseModel):
    """What is to be set right about a talk."""

    model_config = ConfigDict(extra="forbid")
    video_id: str = Field(max_length=2000)
    what: What
    reason: str = Field("", max_length=LONG, description="Why; only to restore it needs none.")
    published: str = Field(
        "", max_length=100, description="redate: the right date, YYYY-MM-DD or YYYY-MM-DDTHH:MM (UTC)."
    )


class CorrectedTalk(BaseModel):
    """What came of it."""

    said: str
    changed: bool = Field(description="False: it was so already.")


class Naming(BaseModel):
    """Who a speaker of a talk is."""

    model_config = ConfigDict(extra="forbid")
    video_id: str = Field(max_length=2000)
    speaker: str = Field(max_length=2000, description="As the transcript calls them, or the name they have.")
    name: str = Field("", max_length=LONG, description="Who it is; empty: nobody says so any more.")
    reason: str = Field("", max_length=LONG, description="How you know.")


class Reviewing(BaseModel):
    """What a reviewer thinks of a video."""

    model_config = ConfigDict(extra="forbid")
    video_id: str = Field(max_length=1000)
    verdict: Literal["keep", "exclude"]
    talk_kind: TalkKind | Literal[""] = Field("", description="What it is; needed to exclude it.")
    note: str = Field("", max_length=LONG)
    final: bool = Field(False, description="Adjudicate: it holds, whatever others said.")


class Reviewed(BaseModel):
    """A review that is kept, and what holds of the video now."""

    video_id: str
    reviewer: str
    verdict: Literal["keep", "exclude"]
    talk_kind: TalkKind
    note: str
    final: bool
    reviewed_at: datetime
    state: Literal["open", "disputed", "decided"]


REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"model": Said, "description": "The body cannot be read, or the request has two lengths."},
    401: {"model": Said, "description": "No token, or nobody's."},
    403: {"model": Said, "description": "Another site, or a form of another session, made the request."},
    413: {"model": Said, "description": "The body is too large."},
    421: {"model": Said, "description": "This page does not answer under that name."},
    422: {"model": Said, "description": "It cannot be decided, or a field is wrong."},
    429: {"model": Said, "description": "Too many wrong tokens of late."},
    503: {"model": Said, "description": "Database or broker do not answer."},
}
CLASH: dict[int | str, dict[str, Any]] = {
    409: {"model": Clash, "description": "Somebody decided since `expected`; nothing was changed."}
}
RENAME = {"action": "rename", "topic_id": 3, "name": "Evaluation and tests"}


def mount(site: Site) -> None:
    """Add the endpoints."""
    desk, web = CurationContext(site), site.web
    _say_how(web)

    @web.post("/api/codebook/preview", tags=[TAG], responses=REFUSALS, openapi_extra=_SIGNED)
    def what_it_changes(who: Curates, wish: Annotated[Wish, Body(examples=[RENAME])]) -> Previewed:
        """What a decision would change in the numbers, counted without writing anything."""
        with as_refusal():
            standing = desk.standing()
            change = change_of(desk.looking(who), standing, wish)
            found = site.ask(preview, standing, change)
        return Previewed(
            said=found.said,
            revision=standing.revision,
            of_videos=found.of_videos,
            of_videos_after=found.of_videos_after,
            themes=[_count(each) for each in found.themes],
            topics=[_count(each) for each in found.topics],
            others=found.others,
        )

    @web.post(
        "/api/codebook/decide",
        tags=[TAG],
        responses=REFUSALS | CLASH,
        response_model=Decided,
        openapi_extra=_SIGNED,
    )
    def decide(
        who: Curates,
        wish: Annotated[Deciding, Body(examples=[RENAME | {"note": "as agreed", "expected": 4}])],
    ) -> Any:
        """Make a decision about topics or themes, as the next revision of the codebook; also to undo one."""
        try:
            with desk.curator(who) as curator:
                event = curator.decide(
                    lambda standing: change_of(curator, standing, wish), wish.note, wish.expected
                )
        except Conflict as error:
            clash = {"error": error.cause, "cure": error.cure, "revision": desk.log.latest()}
            return JSONResponse(clash, 409)
        return Decided.model_validate(event, from_attributes=True)

    @web.post("/api/codebook/judge", tags=[TAG], responses=REFUSALS, openapi_extra=_SIGNED)
    def judge(
        who: Curates,
        judging: Annotated[Judging, Body(examples=[{"topic_id": 3, "verdict": "include"}])],
    ) -> Judged:
        """Say what you, as a reviewer, think of a topic; it changes no number. The later judgement holds."""
        with desk.curator(who) as curator:
            event = curator.judge(judging.topic_id, judging.verdict, judging.theme, judging.note)
        return Judged.model_validate(event, from_attributes=True)

    @web.post("/api/review", tags=[TAG], responses=REFUSALS, openapi_extra=_SIGNED)
    def review(
        who: Curates,
        reviewing: Annotated[
            Reviewing,
            Body(examples=[{"video_id": "dQw4w9WgXcQ", "verdict": "exclude", "talk_kind": "tutorial"}]),
        ],
    ) -> Reviewed:
        """Say what you, as a reviewer, think of a video, or adjudicate. The later of your reviews holds."""
        found = judged(desk, who, reviewing)
        said_now = found.event.model_dump(exclude={"schema_version"})
        return Reviewed(**said_now, state=found.ruling.state)

    @web.post("/api/talks/correct", tags=[TAG], responses=REFUSALS, openapi_extra=_SIGNED)
    def correct(
        who: Curates,
        wanted: Annotated[
            Correcting,
            Body(examples=[{"video_id": "dQw4w9WgXcQ", "what": "withdraw", "reason": "an advertisement"}]),
        ],
    ) -> CorrectedTalk:
        """Withdraw a talk from every number, restore it, set its date right, or keep a duplicate."""
        found = corrected(
            desk, who, wanted.video_id, wanted.what, reason=wanted.reason, published=wanted.published
        )
        return CorrectedTalk(said=found.said, changed=found.event is not None)

    @web.post("/api/talks/name", tags=[TAG], responses=REFUSALS, openapi_extra=_SIGNED)
    def name(
        who: Curates,
        wanted: Annotated[
            Naming,
            Body(examples=[{"video_id": "dQw4w9WgXcQ", "speaker": "SPEAKER_00", "name": "Ann Lee"}]),
        ],
    ) -> CorrectedTalk:
        """Say who a speaker of a talk is, in its transcript that counts, or take that back."""
        found = named(desk, who, wanted.video_id, wanted.speaker, wanted.name, reason=wanted.reason)
        return CorrectedTalk(said=found.said, changed=found.event is not None)


_SIGNED: dict[str, Any] = {"security": [{"token": []}]}


def _say_how(web: FastAPI) -> None:
    """Let the OpenAPI say how a program shows who it is."""
    make = web.openapi

    def described() -> dict[str, Any]:
        schema = make()
        schemes = schema.setdefault("components", {}).setdefault("securitySchemes", {})
        schemes["token"] = {
            "type": "http",
            "scheme": "bearer",
            "description": "A curator's token: groundswell curators add NAME.",
        }
        return schema

    web.openapi = described  # type: ignore[method-assign]


def _count(each: Any) -> Count:
    return Count.model_validate(each, from_attributes=True)
