"""Events of curation: decisions about topics, themes, talks and alerts, and judgements of reviewers."""

from __future__ import annotations

from datetime import UTC
from typing import Literal

from pydantic import AwareDatetime

from streams.events.base import Event, Fact


class CodebookEntry(Fact):
    """What the codebook says of one topic from a revision on."""

    topic_id: int
    name: str = ""
    """Empty: what a labeller or the model calls it."""
    theme: str = ""
    """Empty: not yet in a theme."""
    retained: bool = True
    target: int | None = None
    """The topic that it counts for; None: itself."""
    reason: str = ""
    """Why it is not retained."""


class ThemeEntry(Fact):
    """What the codebook says of one theme from a revision on."""

    theme: str
    description: str = ""
    removed: bool = False


class CodebookDecided(Event):
    """A person decided about topics or themes, and what the codebook says of them from then on.

    Revisions of a study count from 1 without a gap: each is a blob that only one can create.
    """

    revision: int
    model_version: str
    action: Literal[
        "exclude", "include", "merge", "split", "rename", "assign", "create theme", "describe theme",
        "rename theme", "remove theme", "undo", "import", "carry over",
    ]  # fmt: skip
    said: str
    """What was decided, in words."""
    entries: tuple[CodebookEntry, ...] = ()
    themes: tuple[ThemeEntry, ...] = ()
    undoes: int | None = None
    """The revision that it takes back."""
    author: str
    note: str = ""
    decided_at: AwareDatetime

    @property
    def key(self) -> str:
        """All decisions, in one order."""
        return "codebook"

    def _identity(self) -> tuple[object, ...]:
        return (self.revision, self.model_version, self.decided_at.astimezone(UTC).isoformat(), self.author)


class TopicJudged(Event):
    """A reviewer said what they think of a topic, independently of others; it changes no number."""

    model_version: str
    topic_id: int
    reviewer: str
    verdict: Literal["include", "exclude"]
    theme: str = ""
    """Where it belongs; empty: not said."""
    note: str = ""
    judged_at: AwareDatetime

    @property
    def key(self) -> str:
        """The topic."""
        return str(self.topic_id)

    def _identity(self) -> tuple[object, ...]:
        judged = self.judged_at.astimezone(UTC).isoformat()
        return (self.model_version, self.topic_id, self.reviewer, judged)


class AlertJudged(Event):
    """A person said whether an alert was worth it; the latest of an alert holds. It changes no number."""

    alert_id: str
    verdict: Literal["confirmed", "dismissed", "reopened"]
    """reopened: what was said before is taken back."""
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
    """A person took a talk out of the numbers, put it back, or set its date of publication right.

    Or they kept one that was rejected because it says again what another one said, or said who a speaker is.
    """

    video_id: str
    what: Literal["withdrawn", "restored", "redated", "kept", "named"]
    published_at: AwareDatetime | None = None
    """Redated: the right moment of publication."""
    transcript_version: str = ""
    """Named: the transcript that has the speaker; another one may call them otherwise."""
    speaker: str = ""
    """Named: as the transcript calls them."""
    name: str = ""
    """Named: who it is; empty: nobody says so any more."""
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
