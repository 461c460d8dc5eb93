"""Consensus of reviewers who judge independently, and their agreement.

A required number of reviewers judges each video, each without seeing the others. A unanimous verdict decides
it; otherwise the video is disputed until somebody adjudicates, and an adjudication overrides all verdicts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from typing import Generic, Literal, Protocol, TypeVar

from models.relevance.kappa import Agreement, agreement

EXCLUDE, UNDONE = "exclude", "undone"


class ReviewerVerdict(Protocol):
    """One reviewer's verdict on one video (`streams.events.VideoReviewed`)."""

    @property
    def reviewer(self) -> str:
        """The reviewer's name."""

    @property
    def verdict(self) -> str:
        """keep, exclude, or undone: the reviewer withdrew it."""

    @property
    def talk_kind(self) -> str:
        """The kind of talk; the reason if it is excluded."""

    @property
    def final(self) -> bool:
        """Whether it is an adjudication."""

    @property
    def reviewed_at(self) -> datetime:
        """Time of the review; a reviewer's latest one counts."""


S = TypeVar("S", bound=ReviewerVerdict)


@dataclass(frozen=True, slots=True)
class Ruling(Generic[S]):
    """The combined verdict on a video.

    Attributes:
        state: open: reviews are missing; disputed: reviewers disagree and nobody has adjudicated; decided.
        said: each reviewer's current verdict, oldest first, without adjudications.
        adjudicated: the current adjudication, if there is one.
        verdict: keep or exclude; empty unless decided.
        talk_kind: the most frequent kind, the first of a tie; empty unless decided.
    """

    state: Literal["open", "disputed", "decided"]
    said: tuple[S, ...]
    adjudicated: S | None = None
    verdict: str = ""
    talk_kind: str = ""

    @property
    def deciding(self) -> tuple[S, ...]:
        """The verdicts that decided: the adjudication, or all of them."""
        return (self.adjudicated,) if self.adjudicated is not None else self.said


@dataclass(frozen=True, slots=True)
class ReviewerPair:
    """Agreement of two reviewers.

    Attributes:
        one, other: their names.
        verdicts: agreement on keep or exclude.
        kinds: agreement on the kind of talk, for videos that both exclude.
        differ: ids of the videos on which they differ, in order.
    """

    one: str
    other: str
    verdicts: Agreement
    kinds: Agreement
    differ: tuple[str, ...]


def ruled(said: Iterable[S], reviewers: int) -> Ruling[S]:
    """Return the combined verdict on one video; the order of the reviews does not matter.

    Args:
        said: all reviews of the video.
        reviewers: the number of reviewers that it needs.
    """
    latest: dict[tuple[str, bool], S] = {}
    for each in sorted(said, key=_order):
        latest[each.reviewer, each.final] = each
    holding = sorted((each for each in latest.values() if each.verdict != UNDONE), key=_order)
    blind = tuple(each for each in holding if not each.final)
    final = next((each for each in reversed(holding) if each.final), None)
    if final is not None:
        return Ruling("decided", blind, final, final.verdict, final.talk_kind)
    if len(blind) < reviewers:
        return Ruling("open", blind)
    if len({each.verdict for each in blind}) > 1:
        return Ruling("disputed", blind)
    kinds = Counter(each.talk_kind for each in blind)  # in order of review, so that the first wins a tie
    return Ruling("decided", blind, None, blind[0].verdict, kinds.most_common(1)[0][0])


def pairs(by_video: Mapping[str, Sequence[ReviewerVerdict]]) -> list[ReviewerPair]:
    """Return every pair of reviewers, by name.

    Args:
        by_video: each reviewer's current verdict, by video (`Ruling.said`).
    """
    by_reviewer: dict[str, dict[str, ReviewerVerdict]] = {}
    for video_id in sorted(by_video):
        for each in by_video[video_id]:
            by_reviewer.setdefault(each.reviewer, {})[video_id] = each
    found = []
    for one, other in combinations(sorted(by_reviewer), 2):
        first, second = by_reviewer[one], by_reviewer[other]
        both = {video_id: (first[video_id], second[video_id]) for video_id in first if video_id in second}
        out = [(a, b) for a, b in both.values() if a.verdict == b.verdict == EXCLUDE]
        found.append(
            ReviewerPair(
                one,
                other,
                agreement([a.verdict for a, _ in both.values()], [b.verdict for _, b in both.values()]),
                agreement([a.talk_kind for a, _ in out], [b.talk_kind for _, b in out]),
                tuple(name for name, (a, b) in both.items() if _what(a) != _what(b)),
            )
        )
    return found


def _what(each: ReviewerVerdict) -> tuple[str, str]:
    return each.verdict, each.talk_kind if each.verdict == EXCLUDE else ""


def _order(each: ReviewerVerdict) -> tuple[datetime, str, bool]:
    return each.reviewed_at, each.reviewer, each.final
