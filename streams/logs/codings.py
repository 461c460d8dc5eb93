"""Log of people's codings of paragraphs; a reviewer's latest of a paragraph counts."""

from __future__ import annotations

from streams.events import ParagraphCoded
from streams.logs.event_log import EventLog


class Codings(EventLog[ParagraphCoded]):
    """Every `ParagraphCoded` of a study."""

    kind = ParagraphCoded
    folder = "codings"
    timestamp = "coded_at"

    def standing(self) -> list[ParagraphCoded]:
        """Return the latest coding of each reviewer and paragraph, without withdrawn ones."""
        latest = {(event.paragraph_id, event.reviewer): event for event in self.events()}
        return [event for event in latest.values() if event.verdict != "withdrawn"]
