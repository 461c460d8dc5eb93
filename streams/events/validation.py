"""Events about the validation of the codebook: a sample of paragraphs is drawn, and people code it."""

from __future__ import annotations

from datetime import UTC
from typing import Literal

from pydantic import AwareDatetime

from streams.events.base import Event, Fact


class SampledParagraph(Fact):
    """A paragraph of a validation sample.

    Attributes:
        weight: the number of paragraphs that it stands for: the inverse of its probability of being drawn.
        stratum: why it was drawn: counted, near or random.
    """

    video_id: str
    paragraph_id: str
    weight: float
    stratum: Literal["counted", "near", "random", "given"]
    """given: from a file, not drawn here."""


class ValidationSampleDrawn(Event):
    """Paragraphs were drawn, for people to say which topics of the codebook each is about."""

    sample: str
    """Its name: the time at which it was drawn."""
    model_version: str
    topics: tuple[str, ...]
    """Keys of the topics that each paragraph is coded for."""
    population: int
    """Number of paragraphs from which they were drawn."""
    paragraphs: tuple[SampledParagraph, ...]
    drawn_by: str
    drawn_at: AwareDatetime

    @property
    def key(self) -> str:
        """A constant, so that samples stay in order."""
        return "validation"

    def _identity(self) -> tuple[object, ...]:
        return (self.sample, self.model_version)


class ParagraphCoded(Event):
    """A reviewer's coding of a paragraph: every topic of the codebook that it is about.

    The latest of a reviewer counts. It changes no topic, and no topic learns from it.
    """

    video_id: str
    paragraph_id: str
    offered: tuple[str, ...]
    """Keys of the topics from which the reviewer chose."""
    topics: tuple[str, ...]
    """Keys of those that it is about; empty: of none."""
    verdict: Literal["coded", "withdrawn"] = "coded"
    """withdrawn: the reviewer's earlier coding does not count any more."""
    reviewer: str
    note: str = ""
    coded_at: AwareDatetime

    @property
    def key(self) -> str:
        """The paragraph."""
        return self.paragraph_id

    def _identity(self) -> tuple[object, ...]:
        return (self.paragraph_id, self.reviewer, self.coded_at.astimezone(UTC).isoformat())
