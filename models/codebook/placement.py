"""Placement of several topics at once, in themes or as parts of other topics, as one decision."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from models.codebook.commands import assign, changed, merge
from models.codebook.state import CodebookChange, CodebookState, TopicEntry
from models.errors import BadInput

PLACE = "place"
THEME, INTO = "theme:", "into:"
NAMED = 3
"""Maximum number of topics that a description names for each theme or topic."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a topic goes: into a theme, or to another topic, for which it then counts."""

    topic_id: int
    theme: str = ""
    into: int | None = None

    def __str__(self) -> str:
        return f"{self.topic_id}={f'{THEME}{self.theme}' if self.into is None else f'{INTO}{self.into}'}"

    @classmethod
    def read(cls, text: str) -> Placement:
        """Return the placement that is written as `TOPIC=theme:THEME` or `TOPIC=into:TOPIC`.

        Raises:
            BadInput: it is written in another way.

        Example:
            >>> Placement.read("21=theme:Costs"), str(Placement(22, into=2))
            (Placement(topic_id=21, theme='Costs', into=None), '22=into:2')
        """
        written = re.fullmatch(rf"(\d{{1,10}})=(?:{THEME}(.+)|{INTO}(\d{{1,10}}))", text, re.ASCII)
        if written is None:
            raise BadInput(
                f"{text[:80]!r} places no topic", f"write TOPIC={THEME}NAME, or TOPIC={INTO}TOPIC, with ids"
            )
        topic_id, theme, into = written.groups()
        return cls(int(topic_id), theme or "", int(into) if into else None)


def place(standing: CodebookState, placements: Sequence[Placement]) -> CodebookChange:
    """Put topics into existing themes, or merge them into others, as one decision that one undo takes back.

    Raises:
        BadInput: no topic is given, or one twice; one has no place or two; or one of the assignments or
            merges is refused by itself.
    """
    if not placements:
        raise BadInput("no topic is chosen", "choose at least one topic")
    after, entries, ends = standing, dict[int, TopicEntry](), dict[str, list[int]]()
    for each in placements:
        if each.topic_id in entries:
            raise BadInput(f"{standing.named(each.topic_id)} is placed twice", "give it one place")
        if bool(each.theme.strip()) == (each.into is not None):
            places = "no place" if each.into is None else "two places"
            raise BadInput(
                f"{standing.named(each.topic_id)} is given {places}",
                "give it either a theme or a topic for which it counts",
            )
        change = (
            assign(after, each.topic_id, each.theme)
            if each.into is None
            else merge(after, each.topic_id, each.into)
        )
        (entry,) = change.entries
        end = entry.theme if each.into is None else standing.named(each.into)
        ends.setdefault(("belong to " if each.into is None else "count for ") + end, []).append(each.topic_id)
        entries[each.topic_id] = entry
        after = after.after(change)
        said = change.said
    if len(entries) > 1:
        said = f"{len(entries)} topics are placed: " + "; ".join(
            f"{_named(standing, topic_ids)} {end if len(topic_ids) > 1 else end.replace(' ', 's ', 1)}"
            for end, topic_ids in ends.items()
        )
    return changed(standing, PLACE, said, entries.values())


def _named(standing: CodebookState, topic_ids: Iterable[int]) -> str:
    names = [standing.named(each) for each in topic_ids]
    if len(names) > NAMED + 1:
        names = [*names[:NAMED], f"{len(names) - NAMED} more"]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
