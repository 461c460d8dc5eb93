"""Write API: one POST per decision, authorized with `Authorization: Bearer TOKEN`.

The answer to a conflict (409) names the newest revision, so that a program can reload it and decide again.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Body, FastAPI
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from agents.curation.codebook_commands import MOST, PlacingCommand, change_of
from agents.curation.decision_preview import preview
from agents.web.curation.context import CurationContext, as_refusal
from agents.web.curation.corrections import What, correct_talk
from agents.web.curation.reviews import review_video
from agents.web.curation.speaker_names import name_speaker
from agents.web.security.access import Curates
from agents.web.site import Site
from streams.events import TalkKind
from streams.logs.codebook_log import Conflict

LONG = 10_000
TAG = "changes"


class Said(BaseModel):
    """Error: its cause and what to do about it."""

    error: str
    cure: str


class Clash(Said):
    """Conflict: another decision was made in the meantime; nothing was changed."""

    revision: int = Field(description="The newest revision.")


class Wish(PlacingCommand):
    """A command to the codebook; each action reads only the fields that it needs."""


class Deciding(Wish):
    """A command with a note and the revision that it is based on."""

    note: str = Field("", max_length=LONG, description="Note kept with the decision.")
    expected: int | None = Field(
        None,
        ge=0,
        le=MOST,
        description="Decide only if this is still the newest revision; empty: decide in any case.",
    )


class Decided(BaseModel):
    """A decision that was made."""

    revision: int
    said: str
    author: str
    decided_at: datetime


class Count(BaseModel):
    """A theme's or topic's counts before and after a decision; a name is empty if it does not count."""

    name: str
    name_after: str
    videos: int
    videos_after: int
    share: float = Field(ge=0, le=1)
    share_after: float = Field(ge=0, le=1)


class Previewed(BaseModel):
    """Effect of a decision on the numbers; nothing is written."""

    said: str
    revision: int = Field(description="The revision that the preview is based on; send it as `expected`.")
    of_videos: int
    of_videos_after: int
    themes: list[Count]
    topics: list[Count]
    others: int = Field(description="Themes and topics with the same videos whose share differs.")


class Judging(BaseModel):
    """A reviewer's judgement of a topic."""

    model_config = ConfigDict(extra="forbid")
    topic_id: int = Field(ge=1, le=MOST)
    verdict: Literal["include", "exclude"]
    theme: str = Field("", max_length=LONG)
    note: str = Field("", max_length=LONG)


class Judged(BaseModel):
    """A judgement that was saved."""

    topic_id: int
    reviewer: str
    verdict: Literal["include", "exclude"]
    theme: str
    note: str
    judged_at: datetime


class Correcting(BaseModel):
    """A correction of a talk."""

    model_config = ConfigDict(extra="forbid")
    video_id: str = Field(max_length=2000)
    what: What
    reason: str = Field("", max_length=LONG, description="Reason; required except for restore.")
    published: str = Field(
        "", max_length=100, description="redate: the right date, YYYY-MM-DD or YYYY-MM-DDTHH:MM (UTC)."
    )


class CorrectedTalk(BaseModel):
    """Result of a correction."""

    said: str
    changed: bool = Field(description="False: the talk was already in this state.")


class Naming(BaseModel):
    """The name of a speaker in a talk."""

    model_config = ConfigDict(extra="forbid")
    video_id: str = Field(max_length=2000)
    speaker: str = Field(max_length=2000, description="The label in the transcript, or the current name.")
    name: str = Field("", max_length=LONG, description="The speaker's name; empty: remove the name.")
    reason: str = Field("", max_length=LONG, description="How you know the name.")


class Reviewing(BaseModel):
    """A reviewer's verdict on a video."""

    model_config = ConfigDict(extra="forbid")
    video_id: str = Field(max_length=1000)
    verdict: Literal["keep", "exclude"]
    talk_kind: TalkKind | Literal[""] = Field("", description="Kind of talk; required to exclude it.")
    note: str = Field("", max_length=LONG)
    final: bool = Field(False, description="Adjudicate: this verdict overrides all others.")


class Reviewed(BaseModel):
    """A review that was saved, and the video's resulting state."""

    video_id: str
    reviewer: str
    verdict: Literal["keep", "exclude"]
    talk_kind: TalkKind
    note: str
    final: bool
    reviewed_at: datetime
    state: Literal["open", "disputed", "decided"]


REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {
        "model": Said,
        "description": "Malformed: unreadable body, or both Content-Length and Transfer-Encoding were sent.",
    },
    401: {"model": Said, "description": "The token is missing or not valid."},
    403: {"model": Said, "description": "The request came from another site or another session's form."},
    413: {"model": Said, "description": "The body is too large."},
    421: {"model": Said, "description": "This server does not answer requests for that host name."},
    422: {"model": Said, "description": "The decision is not possible, or a field is invalid."},
    429: {"model": Said, "description": "Too many invalid tokens were sent recently."},
    503: {"model": Said, "description": "The database or the broker does not answer."},
}
CLASH: dict[int | str, dict[str, Any]] = {
    409: {"model": Clash, "description": "Another decision was made after `expected`; nothing was changed."}
}
RENAME = {"action": "rename", "topic_id": 3, "name": "Evaluation and tests"}


def mount(site: Site) -> None:
    """Add the endpoints."""
    desk, web = CurationContext(site), site.web
    _say_how(web)

    @web.post("/api/codebook/preview", tags=[TAG], responses=REFUSALS, openapi_extra=SIGNED)
    def what_it_changes(who: Curates, wish: Annotated[Wish, Body(examples=[RENAME])]) -> Previewed:
        """Return the effect of a decision on the numbers, without writing anything."""
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
        openapi_extra=SIGNED,
    )
    def decide(
        who: Curates,
        wish: Annotated[Deciding, Body(examples=[RENAME | {"note": "as agreed", "expected": 4}])],
    ) -> Any:
        """Make, or undo, a decision about topics or themes; it becomes the next revision of the codebook."""
        try:
            with desk.curator(who) as curator:
                event = curator.decide(
                    lambda standing: change_of(curator, standing, wish), wish.note, wish.expected
                )
        except Conflict as error:
            clash = {"error": error.cause, "cure": error.cure, "revision": desk.log.latest()}
            return JSONResponse(clash, 409)
        return Decided.model_validate(event, from_attributes=True)

    @web.post("/api/codebook/judge", tags=[TAG], responses=REFUSALS, openapi_extra=SIGNED)
    def judge(
        who: Curates,
        judging: Annotated[Judging, Body(examples=[{"topic_id": 3, "verdict": "include"}])],
    ) -> Judged:
        """Record your judgement of a topic; it changes no number and replaces your earlier judgement."""
        with desk.curator(who) as curator:
            event = curator.judge(judging.topic_id, judging.verdict, judging.theme, judging.note)
        return Judged.model_validate(event, from_attributes=True)

    @web.post("/api/review", tags=[TAG], responses=REFUSALS, openapi_extra=SIGNED)
    def review(
        who: Curates,
        reviewing: Annotated[
            Reviewing,
            Body(examples=[{"video_id": "dQw4w9WgXcQ", "verdict": "exclude", "talk_kind": "tutorial"}]),
        ],
    ) -> Reviewed:
        """Record your review of a talk, or adjudicate; it replaces your earlier review."""
        found = review_video(desk, who, reviewing)
        said_now = found.event.model_dump(exclude={"schema_version"})
        return Reviewed(**said_now, state=found.ruling.state)

    @web.post("/api/talks/correct", tags=[TAG], responses=REFUSALS, openapi_extra=SIGNED)
    def correct(
        who: Curates,
        wanted: Annotated[
            Correcting,
            Body(examples=[{"video_id": "dQw4w9WgXcQ", "what": "withdraw", "reason": "an advertisement"}]),
        ],
    ) -> CorrectedTalk:
        """Withdraw a talk from all counts, restore it, correct its date, or keep a duplicate."""
        found = correct_talk(
            desk, who, wanted.video_id, wanted.what, reason=wanted.reason, published=wanted.published
        )
        return CorrectedTalk(said=found.said, changed=found.event is not None)

    @web.post("/api/talks/name", tags=[TAG], responses=REFUSALS, openapi_extra=SIGNED)
    def name(
        who: Curates,
        wanted: Annotated[
            Naming,
            Body(examples=[{"video_id": "dQw4w9WgXcQ", "speaker": "SPEAKER_00", "name": "Ann Lee"}]),
        ],
    ) -> CorrectedTalk:
        """Name a speaker in the transcript of a talk that counts, or remove the name."""
        found = name_speaker(desk, who, wanted.video_id, wanted.speaker, wanted.name, reason=wanted.reason)
        return CorrectedTalk(said=found.said, changed=found.event is not None)


SIGNED: dict[str, Any] = {"security": [{"token": []}]}


def _say_how(web: FastAPI) -> None:
    """Add the authentication scheme (bearer token) to the OpenAPI document."""
    make = web.openapi

    def described() -> dict[str, Any]:
        schema = make()
        schemes = schema.setdefault("components", {}).setdefault("securitySchemes", {})
        schemes["token"] = {
            "type": "http",
            "scheme": "bearer",
            "description": "A curator's token, created with: groundswell curators add NAME.",
        }
        return schema

    web.openapi = described  # type: ignore[method-assign]


def _count(each: Any) -> Count:
    return Count.model_validate(each, from_attributes=True)
