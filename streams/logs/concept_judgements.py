"""Log of reviewers' judgements of paragraphs; a reviewer's latest of a paragraph and a concept counts.

A reviewer is a person or a language model. A person overrules every model: where a person has judged, what
models say has no weight.
"""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel, TypeAdapter

from streams.events import ConceptJudged
from streams.logs.event_log import EventLog

MODEL_REVIEWER = "model:"
"""Beginning of the name of a reviewer that is a language model."""
MODEL_WEIGHT = 0.5
"""Weight of what only language models say, where a person's judgement weighs 1.

A model's errors repeat, so many of its judgements are less evidence than as many of several people. How much
less is not known: no model was measured on a study's own talks. With half the weight, two of its judgements
move a topic as much as one of a person.
"""


class CountedJudgement(BaseModel):
    """What reviewers say about a paragraph and a concept.

    `weight`: 1, `MODEL_WEIGHT` where no person has judged, 0 where they differ.
    """

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
    """Return what people say of each paragraph and concept, or language models where no person has judged."""
    people: dict[tuple[str, str, str], set[str]] = {}
    models: dict[tuple[str, str, str], set[str]] = {}
    for each in standing:
        if each.verdict != "unsure":
            said = models if is_model(each.reviewer) else people
            said.setdefault((each.video_id, each.paragraph_id, each.concept), set()).add(each.verdict)
    return [
        CountedJudgement(
            video_id=place[0],
            paragraph_id=place[1],
            concept=place[2],
            about="about" in verdicts,
            weight=0.0 if len(verdicts) > 1 else 1.0 if place in people else MODEL_WEIGHT,
        )
        for place, verdicts in sorted((models | people).items())
    ]


def is_model(reviewer: str) -> bool:
    """Return whether a reviewer is a language model."""
    return reviewer.startswith(MODEL_REVIEWER)
