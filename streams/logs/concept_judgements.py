"""Log of people's judgements of paragraphs; a reviewer's latest of a paragraph and a concept counts."""

from __future__ import annotations

from collections.abc import Iterable

from streams.events import ConceptJudged
from streams.logs.event_log import EventLog


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
