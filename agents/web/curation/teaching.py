"""Teaching of concepts from pages and the API."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from agents.curation.concept_teaching import ConceptTeacher, Verdict
from agents.instance.event_publisher import Deliver
from agents.web.curation.context import PATIENCE_S, CurationContext, as_refusal
from agents.web.dependencies import RequestRefused
from agents.web.security.access import Who
from streams.events import ConceptJudged, ConceptsTaught
from streams.settings import EMBEDDED


def judge_paragraph(
    desk: CurationContext,
    who: Who,
    video_id: str,
    paragraph: int | str,
    topic_id: int,
    *,
    verdict: Verdict,
    note: str,
) -> ConceptJudged:
    """Record whether a paragraph is about a topic of the codebook.

    Raises:
        RequestRefused: 422, there is no such paragraph or topic.
        Unavailable: it is kept, but could not be sent.
    """
    with _teacher(desk, who) as (teacher, _):
        return teacher.judge_paragraph(video_id, paragraph, topic_id, verdict, note)


def request_refit(desk: CurationContext, who: Who) -> tuple[ConceptsTaught, int]:
    """Request that the concepts are fitted to all judgements; return the request and their number.

    Raises:
        RequestRefused: 409, no agents run that could carry it out; 422, the model cannot be taught.
        Unavailable: the broker does not answer.
    """
    if desk.site.runtime.bootstrap in {"", EMBEDDED}:
        raise RequestRefused(
            409,
            "the study is not running, so the request would not be processed",
            "start it with groundswell run, then try again",
        )
    with _teacher(desk, who) as (teacher, deliver):
        return teacher.request(deliver)


@contextmanager
def _teacher(desk: CurationContext, who: Who) -> Iterator[tuple[ConceptTeacher, Deliver]]:
    now = desk.site.runtime.parts.now
    with as_refusal(), desk.deliver() as deliver:
        yield ConceptTeacher(desk.blobs, desk.ask, deliver, now, who.name, patience_s=PATIENCE_S), deliver
