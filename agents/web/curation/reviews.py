"""Reviews of videos in the name of a person who is signed in or has a token."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from agents.screening.video_reviews import Meanwhile, Reviewer, ReviewOutcome
from agents.web.curation.context import PATIENCE_S, CurationContext
from agents.web.curation.context import as_refusal as explained
from agents.web.dependencies import RequestRefused
from agents.web.security.access import Who
from models.errors import BadInput
from streams.logs.reviews import Reviews


def read_only_reviewer(desk: CurationContext, name: str, log: Reviews) -> Reviewer:
    """Return a read-only reviewer; publishing an event raises AssertionError."""

    def nothing(_: object) -> None:
        raise AssertionError("a read-only reviewer cannot publish events")

    runtime = desk.site.runtime
    return Reviewer(runtime.settings, desk.blobs, desk.ask, nothing, runtime.parts.now, name, log)


@contextmanager
def reviewer(desk: CurationContext, who: Who, log: Reviews) -> Iterator[Reviewer]:
    """Yield a reviewer that acts in a person's name.

    Raises:
        RequestRefused: 422, it cannot be said; 409, somebody else said something since.
        Unavailable: the broker does not answer.
    """
    runtime = desk.site.runtime
    try:
        with desk.deliver() as deliver:
            yield Reviewer(
                runtime.settings,
                desk.blobs,
                desk.ask,
                deliver,
                runtime.parts.now,
                who.name,
                log,
                patience_s=PATIENCE_S,
            )
    except Meanwhile as error:
        raise RequestRefused(409, error.cause, error.cure) from error
    except BadInput as error:
        raise RequestRefused(422, error.cause, error.cure) from error


def review_video(desk: CurationContext, who: Who, wanted: Any) -> ReviewOutcome:
    """Judge or adjudicate a video for a program's request (`agents.web.api.write.Reviewing`).

    Raises:
        RequestRefused: 422, it cannot be said.
        Unavailable: it is kept, but could not be sent.
    """
    with explained(), reviewer(desk, who, Reviews(desk.blobs)) as at_work:
        say = at_work.adjudicate if wanted.final else at_work.judge
        return say(wanted.video_id, wanted.verdict, wanted.talk_kind, wanted.note)
