"""Classes of talk, and reviewers' rulings in words."""

from __future__ import annotations

import difflib
from typing import get_args

from models.errors import BadInput
from models.relevance.consensus import Ruling
from streams.events import TalkKind, VideoReviewed, stable_id

KINDS: tuple[str, ...] = get_args(TalkKind)
KEPT = KINDS[0]
"""The default class of a kept video."""


def kind_of(text: str) -> str:
    """Return the class of talk that a text names.

    Raises:
        BadInput: there is no such class.

    Example:
        >>> kind_of("Tutorial"), kind_of("experience-report")
        ('tutorial', 'experience report')
    """
    wanted = " ".join(text.replace("-", " ").split()).lower()
    if wanted in KINDS:
        return wanted
    classes = f"use one of {', '.join(KINDS)}"
    if not wanted:
        raise BadInput("an excluded video needs a class", classes)
    near = difflib.get_close_matches(wanted, KINDS, 1)
    raise BadInput(
        f"{text[:40]!r} is not a class of talk", f"did you mean {near[0]}? {classes}" if near else classes
    )


def describe_ruling(ruling: Ruling[VideoReviewed]) -> str:
    """Return the reviewers and their verdicts in one line.

    Example: "anna: tutorial, ben: lecture", "keep, adjudicated by clara".
    """
    if (final := ruling.adjudicated) is not None:
        return f"{_what(final)}, adjudicated by {final.reviewer}"
    return ", ".join(f"{each.reviewer}: {_what(each)}" for each in ruling.said)


def mark(ruling: Ruling[VideoReviewed]) -> str:
    """Return a fingerprint of the reviews of a video; any further review changes it."""
    events = [*ruling.said, *([ruling.adjudicated] if ruling.adjudicated else [])]
    return stable_id(*(event.event_id for event in events))[:16]


def _what(each: VideoReviewed) -> str:
    return "keep" if each.verdict == "keep" else each.talk_kind
