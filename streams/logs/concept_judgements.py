"""Log of people's judgements of paragraphs; a reviewer's latest of a paragraph and a concept counts."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel, TypeAdapter

from streams.events import ConceptJudged
from streams.logs.event_log import EventLog


class CountedJudgement(BaseModel):
    """What reviewers say about a paragraph and a concept; `weight` is 0 where they differ."""

    video_id: str
    paragraph_id: str
    concept: str
    about: bool
    weight: float


COUNTED = TypeAdapter(list[CountedJudgement])
"""The content of the blob that a request to teach refers to."""


class ConceptJudgements(EventLog[ConceptJudged]):
    """Every `ConceptJudged` of a study."""

    kind = ConceptJudged
    folder = "concept-judgements"
    timestamp = "judged_at"

    def standing(self) -> list[ConceptJudged]:
        """Return the latest judgement of each reviewer, paragraph and concept, without withdrawn ones."""
        return standing(self.events())


def standing(events: Iterable[ConceptJudged]) -> list[ConceptJudged]:
    """Return the judgements that count of some in the order of time."""
    latest = {(event.paragraph_id, event.concept, event.reviewer): event for event in events}
    return [event for event in latest.values() if event.verdict != "withdrawn"]


def counted_judgements(standing: Iterable[ConceptJudged]) -> list[CountedJudgement]:
    """Return what reviewers say of each paragraph and concept, by both."""
    said: dict[tuple[str, str, str], set[str]] = {}
    for each in standing:
        said.setdefault((each.video_id, each.paragraph_id, each.concept), set()).add(each.verdict)
    return [
        CountedJudgement(
            video_id=video_id,
            paragraph_id=paragraph_id,
            concept=concept,
            about="about" in verdicts,
            weight=1.0 if len(verdicts) == 1 else 0.0,
        )
        for (video_id, paragraph_id, concept), verdicts in sorted(said.items())
    ]
