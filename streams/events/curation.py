"""Events of curation: people's decisions about topics, themes, talks and alerts, and their judgements."""

from __future__ import annotations

from datetime import UTC
from typing import Literal

from pydantic import AwareDatetime

from streams.events.base import Event, Fact


class CodebookEntry(Fact):
    """A topic's entry in the codebook from a revision on."""

    topic_id: int
    name: str = ""
    """Empty: the name that a labeller or the model gave it."""
    theme: str = ""
    """Empty: not yet in a theme."""
    retained: bool = True
    target: int | None = None
    """The topic that it counts for; None: itself."""
    reason: str = ""
    """Why it is not retained."""


class ThemeEntry(Fact):
    """A theme's entry in the codebook from a revision on."""

    theme: str
    description: str = ""
    removed: bool = False


class CodebookDecided(Event):
    """A person's decision about topics or themes, with their codebook entries from then on.

    A study's revisions count from 1 without a gap: each is a blob that can be created only once.
    """

    revision: int
    model_version: str
    action: Literal[
        "exclude", "include", "merge", "split", "rename", "assign", "create theme", "describe theme",
        "rename theme", "remove theme", "place", "undo", "import", "carry over",
    ]  # fmt: skip
    said: str
    """The decision in words."""
    entries: tuple[CodebookEntry, ...] = ()
    themes: tuple[ThemeEntry, ...] = ()
    undoes: int | None = None
    """The revision that it undoes."""
    author: str
    note: str = ""
    decided_at: AwareDatetime

    @property
    def key(self) -> str:
        """A constant, so that all decisions stay in order."""
        return "codebook"

    def _identity(self) -> tuple[object, ...]:
        return (self.revision, self.model_version, self.decided_at.astimezone(UTC).isoformat(), self.author)


class TopicJudged(Event):
    """A reviewer's judgement of a topic, independent of others; it changes no number."""

    model_version: str
    topic_id: int
    reviewer: str
    verdict: Literal["include", "exclude"]
    theme: str = ""
    """The theme that it belongs to; empty: not stated."""
    note: str = ""
    judged_at: AwareDatetime

    @property
    def key(self) -> str:
        """The topic."""
        return str(self.topic_id)

    def _identity(self) -> tuple[object, ...]:
        judged = self.judged_at.astimezone(UTC).isoformat()
        return (self.model_version, self.topic_id, self.reviewer, judged)


class ConceptJudged(Event):
    """A reviewer's judgement of whether a paragraph is about a topic of the codebook.

    The latest of a reviewer counts. It changes numbers once the concepts are fitted again (`ConceptsTaught`).
    """

    video_id: str
    paragraph_id: str
    concept: str
    """The topic's key in the codebook."""
    verdict: Literal["about", "not about", "unsure", "withdrawn"]
    """unsure: only language models; withdrawn: the reviewer's earlier judgement does not count any more."""
    reviewer: str
    """A person's name, or `model:` and a language model's."""
    note: str = ""
    judged_at: AwareDatetime

    @property
    def key(self) -> str:
        """The paragraph."""
        return self.paragraph_id

    def _identity(self) -> tuple[object, ...]:
        judged = self.judged_at.astimezone(UTC).isoformat()
        return (self.paragraph_id, self.concept, self.reviewer, judged)


class AlertJudged(Event):
    """A person's judgement of whether an alert was useful; the latest counts. It changes no number."""

    alert_id: str
    verdict: Literal["confirmed", "dismissed", "reopened"]
    """reopened: the earlier judgement is withdrawn."""
    author: str
    note: str = ""
    judged_at: AwareDatetime

    @property
    def key(self) -> str:
        """The alert."""
        return self.alert_id

    def _identity(self) -> tuple[object, ...]:
        return (self.alert_id, self.verdict, self.author, self.judged_at.astimezone(UTC).isoformat())


class VideoCorrected(Event):
    """A person's correction of a talk: it is withdrawn from the numbers, restored, or gets another date.

    Or a talk that was rejected as a repetition of another one is kept, or a speaker is named.
    """

    video_id: str
    what: Literal["withdrawn", "restored", "redated", "kept", "named"]
    published_at: AwareDatetime | None = None
    """Redated: the corrected time of publication."""
    transcript_version: str = ""
    """Named: the transcript with the speaker; another transcript may label them differently."""
    speaker: str = ""
    """Named: the speaker's label in the transcript."""
    name: str = ""
    """Named: the speaker's name; empty: the naming is withdrawn."""
    reason: str
    author: str
    corrected_at: AwareDatetime

    @property
    def key(self) -> str:
        """The video."""
        return self.video_id

    def _identity(self) -> tuple[object, ...]:
        moment = self.corrected_at.astimezone(UTC).isoformat()
        if self.what != "named":
            return (self.video_id, self.what, moment)
        return (self.video_id, self.what, self.transcript_version, self.speaker, moment)
