"""Codebook commands: a request by name and fields → a decision of `models.codebook.commands`.

The page and the API share this format. A missing field is reported before any query to the study.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from models.codebook import commands
from models.codebook.placement import Placement, place
from models.codebook.state import CodebookChange, CodebookState
from models.errors import BadInput

if TYPE_CHECKING:
    from agents.curation.codebook_service import CodebookService

Action = Literal[
    "exclude", "include", "merge", "split", "rename", "assign", "create theme", "describe theme",
    "rename theme", "remove theme", "place", "undo",
]  # fmt: skip
MOST = 2**32 - 1
MOST_TOPICS = 1000
"""Maximum number of topics that one decision is about."""


class CodebookCommand(BaseModel):
    """A requested decision; each action uses only the fields that it needs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    action: Action
    topic_id: int | None = Field(None, ge=1, le=MOST, description="The topic to decide about.")
    topic_ids: tuple[Annotated[int, Field(ge=1, le=MOST)], ...] = Field(
        (), max_length=MOST_TOPICS, description="exclude: several topics at once, instead of `topic_id`."
    )
    into: int | None = Field(None, ge=1, le=MOST, description="merge: the topic to merge it into.")
    name: str = Field("", max_length=10_000, description="rename, create theme, rename theme: the new name.")
    theme: str = Field(
        "",
        max_length=10_000,
        description="assign: the theme, or empty to remove the topic from its theme; "
        "describe, rename, remove theme: the theme concerned.",
    )
    new_theme: str = Field(
        "", max_length=10_000, description="assign: the name of a new theme, instead of `theme`."
    )
    reason: str = Field("", max_length=10_000, description="exclude: why.")
    description: str = Field("", max_length=10_000, description="create or describe theme: what it is about.")
    revision: int | None = Field(
        None, ge=1, le=MOST, description="undo: the decision to undo; empty: the newest active one."
    )


class PlacedTopic(BaseModel):
    """A topic, and the theme or topic that it is placed in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    topic_id: int = Field(ge=1, le=MOST)
    theme: str = Field("", max_length=10_000, description="The theme to put it into.")
    into: int | None = Field(None, ge=1, le=MOST, description="Instead: the topic for which it counts.")


class PlacingCommand(CodebookCommand):
    """A requested decision, which may be about several topics at once."""

    placements: tuple[PlacedTopic, ...] = Field(
        (), max_length=MOST_TOPICS, description="place: topics and their themes; one undo takes all back."
    )


def change_of(curator: CodebookService, standing: CodebookState, wish: CodebookCommand) -> CodebookChange:
    """Return the change that a command would make to the current codebook.

    Raises:
        BadInput: the codebook does not allow it, or a field is missing.
    """
    if wish.action == "undo":
        return curator.taken_back(standing, wish.revision)
    return decision(wish)(standing)


def decision(wish: CodebookCommand) -> Callable[[CodebookState], CodebookChange]:
    """Return the decision for a command other than undo: a function from the codebook to the change.

    Raises:
        BadInput: a field is missing.
    """
    match wish.action:
        case "exclude" if wish.topic_ids:
            return lambda standing: commands.exclude_all(standing, wish.topic_ids, wish.reason)
        case "exclude":
            return lambda standing: commands.exclude(standing, _topic(wish), wish.reason)
        case "include":
            return lambda standing: commands.include(standing, _topic(wish))
        case "merge":
            into = _given(wish.into, "the topic to merge into", "choose the topic to merge it into")
            return lambda standing: commands.merge(standing, _topic(wish), into)
        case "split":
            return lambda standing: commands.split(standing, _topic(wish))
        case "rename":
            return lambda standing: commands.rename(standing, _topic(wish), wish.name)
        case "assign" if wish.new_theme.strip():
            return lambda standing: _assign_to_new(standing, _topic(wish), wish.new_theme)
        case "assign":
            return lambda standing: commands.assign(standing, _topic(wish), wish.theme)
        case "create theme":
            return lambda standing: commands.create_theme(standing, wish.name, wish.description)
        case "describe theme":
            return lambda standing: commands.describe_theme(standing, wish.theme, wish.description)
        case "rename theme":
            return lambda standing: commands.rename_theme(standing, wish.theme, wish.name)
        case "remove theme":
            return lambda standing: commands.remove_theme(standing, wish.theme)
        case "place":
            placed = wish.placements if isinstance(wish, PlacingCommand) else ()
            return lambda standing: place(
                standing, [Placement(each.topic_id, each.theme, each.into) for each in placed]
            )
        case "undo":
            raise ValueError("an undo depends on the earlier decisions: see change_of")


def _assign_to_new(standing: CodebookState, topic_id: int, theme: str) -> CodebookChange:
    """Create a theme and assign a topic to it, as one decision that one undo takes back."""
    made = commands.create_theme(standing, theme)
    put = commands.assign(standing.after(made), topic_id, made.themes[0].theme)
    return replace(put, said=f"{put.said} (a new theme)", themes=made.themes)


def _topic(wish: CodebookCommand) -> int:
    return _given(wish.topic_id, "the topic", "choose one")


def _given(value: int | None, what: str, cure: str) -> int:
    if value is None:
        raise BadInput(f"{what} is missing", cure)
    return value
