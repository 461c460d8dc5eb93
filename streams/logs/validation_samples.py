"""Log of the validation samples of a study."""

from __future__ import annotations

from streams.events import ValidationSampleDrawn
from streams.logs.event_log import EventLog


class ValidationSamples(EventLog[ValidationSampleDrawn]):
    """Every `ValidationSampleDrawn` of a study."""

    kind = ValidationSampleDrawn
    folder = "validation-samples"
    timestamp = "drawn_at"

    def paragraphs(self) -> frozenset[str]:
        """Return the ids of the paragraphs of all samples: what validates a topic must not teach it."""
        return frozenset(each.paragraph_id for event in self.events() for each in event.paragraphs)
