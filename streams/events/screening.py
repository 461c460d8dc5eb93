"""Events of screening: a video's relevance, and the verdicts of reviewers.

Import them from `streams.events`.
"""

from __future__ import annotations

from datetime import UTC
from typing import Literal

from pydantic import AwareDatetime

from streams.events.base import Event, Fact

TalkKind = Literal[
    "experience report", "tutorial", "lecture", "tool introduction", "workshop", "opinion", "other"
]
"""Kinds of talks. The study keeps experience reports (DOMAIN: screening)."""


class Relevance(Fact):
    """A relevance model's score of a video, with its reasons."""

    score: float
    """Estimated probability that reviewers keep it, in [0, 1]."""
    talk_kind: TalkKind
    """The likeliest kind of talk."""
    reasons: tuple[str, ...] = ()
    """Reasons for the score in words, strongest first."""
    model: str
    """Name of the model: what it learned from and how much."""


class VideoReviewed(Event):
    """A reviewer judged a video by its title, description and, where needed, the video itself."""

    video_id: str
    reviewer: str
    verdict: Literal["keep", "exclude", "undone"]
    """undone: the reviewer withdraws their earlier verdict, and may judge again."""
    talk_kind: TalkKind
    """Kind of the talk; for an excluded one, the reason."""
    note: str = ""
    final: bool = False
    """An adjudication: it overrides the reviewers' verdicts."""
    reviewed_at: AwareDatetime

    @property
    def key(self) -> str:
        """The video."""
        return self.video_id

    def _identity(self) -> tuple[object, ...]:
        return (self.key, self.reviewer, self.reviewed_at.astimezone(UTC).isoformat())
