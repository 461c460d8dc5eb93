"""Undo of codebook decisions: the topics and themes that a decision changed get their previous entries back.

A later decision about one of the same topics or themes blocks the undo, since it was made on top of this one;
a later decision that was itself undone does not. An undo can be undone too, which applies the decision again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from models.codebook.commands import changed
from models.codebook.state import CodebookChange, CodebookState, ThemeRecord
from models.errors import BadInput

UNDO = "undo"


@dataclass(frozen=True, slots=True)
class PastDecision:
    """A past decision: the topics and themes that it changed, and the revision that it undoes, if any."""

    revision: int
    action: str
    said: str
    author: str = ""
    topic_ids: frozenset[int] = frozenset()
    theme_names: frozenset[str] = frozenset()
    undoes: int | None = None

    def touches(self, other: PastDecision) -> bool:
        """Return whether both are about one of the same topics or themes."""
        return bool(self.topic_ids & other.topic_ids or self.theme_names & other.theme_names)


def undone(decisions: Iterable[PastDecision]) -> dict[int, int]:
    """Return the revisions that were undone, each with the revision that undid it.

    Example:
        >>> undone([PastDecision(1, "rename", ""), PastDecision(2, "undo", "", undoes=1)])
        {1: 2}
    """
    found: dict[int, int] = {}
    for decision in sorted(decisions, key=lambda each: each.revision, reverse=True):
        if decision.undoes is not None and decision.revision not in found:
            found[decision.undoes] = decision.revision
    return found


def newest(decisions: Sequence[PastDecision]) -> PastDecision | None:
    """Return the newest decision that is still in effect and is not an undo, or None."""
    gone = undone(decisions)
    holding = [each for each in decisions if each.revision not in gone and each.action != UNDO]
    return max(holding, key=lambda each: each.revision, default=None)


def undo(
    standing: CodebookState, before: CodebookState, decision: PastDecision, later: Sequence[PastDecision]
) -> CodebookChange:
    """Return the change that undoes a decision.

    Args:
        standing: the current codebook.
        before: the codebook just before the decision.
        decision: the decision to undo.
        later: all decisions after it about topics of the same model.

    Raises:
        BadInput: it was undone already, or later decisions depend on it.
    """
    gone = undone(later)
    if decision.revision in gone:
        by = gone[decision.revision]
        raise BadInput(
            f"revision {decision.revision} ({decision.said}) was undone already, by revision {by}",
            f"undo {by} to apply it again",
        )
    holding = [each for each in later if each.revision not in gone and not _is_neutral(each, decision)]
    for each in sorted(holding, key=lambda each: each.revision, reverse=True):
        if each.touches(decision):
            raise _in_the_way(decision, each)
    change = changed(
        standing,
        UNDO,
        f"revision {decision.revision} is undone ({decision.said})",
        [before.topics[topic_id].entry for topic_id in sorted(decision.topic_ids)],
        [_as_it_was(before, theme) for theme in sorted(decision.theme_names)],
        undoes=decision.revision,
    )
    if wrong := entangled(standing, change):
        upon = [each for each in holding if each.topic_ids & wrong]
        if upon:
            raise _in_the_way(decision, max(upon, key=lambda each: each.revision))
        topics = ", ".join(standing.named(topic_id) for topic_id in sorted(wrong))
        raise BadInput(
            f"revision {decision.revision} ({decision.said}) cannot be undone: it would leave {topics} "
            "in a theme that does not exist, or merged in a circle",
            "assign or split them first",
        )
    return change


def entangled(standing: CodebookState, change: CodebookChange) -> frozenset[int]:
    """Return topics that a change would merge in a cycle, or leave in a theme that it removes."""
    after = standing.after(change)
    removed = {theme.theme for theme in change.themes if theme.removed}
    left = {topic_id for topic_id, topic in after.topics.items() if topic.entry.theme in removed}
    return frozenset(left | {topic_id for topic_id in after.topics if _circles(after, topic_id)})


def _circles(standing: CodebookState, topic_id: int) -> bool:
    been: set[int] = set()
    at: int | None = topic_id
    while at is not None and at not in been:
        been.add(at)
        topic = standing.topics.get(at)
        at = topic.entry.target if topic is not None else None
    return at == topic_id


def _is_neutral(each: PastDecision, decision: PastDecision) -> bool:
    """Return whether a decision only undoes a decision after this one: the pair leaves no trace."""
    return each.undoes is not None and each.undoes > decision.revision


def _as_it_was(before: CodebookState, theme: str) -> ThemeRecord:
    return ThemeRecord(theme, before.themes.get(theme, ""), removed=theme not in before.themes)


def _in_the_way(decision: PastDecision, later: PastDecision) -> BadInput:
    by = f" by {later.author}" if later.author else ""
    return BadInput(
        f"revision {decision.revision} ({decision.said}) cannot be undone, "
        f"since revision {later.revision}{by} depends on it: {later.said}",
        f"undo {later.revision} first",
    )
