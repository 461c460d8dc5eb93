"""Events of screening: a video's relevance, and the verdicts of reviewers.

Part of `streams.events`, which is where to import them from.
"""

from __future__ import annotations

from datetime import UTC
from typing import Literal

from pydantic import AwareDatetime

from streams.events.base import Event, Fact

TalkKind = Literal[
    "experience report", "tutorial", "lecture", "tool introduction", "workshop", "opinion", "other"
]
"""What a talk is. The study keeps experience reports (DOMAIN: screening)."""


class Relevance(Fact):
    """How a relevance model ranks a video, and why."""

    score: float
    """Estimated probability that reviewers keep it, in [0, 1]."""
    talk_kind: TalkKind
    """The likeliest kind of talk."""
    reasons: tuple[str, ...] = ()
    """What speaks for the score, strongest first, readable."""
    model: str
    """Names the model: what it learned from and how much."""


class VideoReviewed(Event):
    """A reviewer judged a video by its title, description and, where needed, the video itself."""

    video_id: str
    reviewer: str
    verdict: Literal["keep", "exclude", "undone"]
    """undone: the reviewer takes back what they said before, and judges again later or never."""
    talk_kind: TalkKind
    """What the talk is; the reason where it is excluded."""
    note: str = ""
    final: bool = False
    """An adjudication: it holds, whatever the others said."""
    reviewed_at: AwareDatetime

    @property
    def key(self) -> str:
        """The video."""
        return self.video_id

    def _identity(self) -> tuple[object, ...]:
        return (self.key, self.reviewer, self.reviewed_at.astimezone(UTC).isoformat())
