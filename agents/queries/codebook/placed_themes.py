"""View of the themes' prevalence if topics were placed: what a decision would change, before it is made."""

from __future__ import annotations

from dataclasses import replace

from agents.queries.rows import PlacedTheme
from models.codebook.placement import Placement
from models.errors import BadInput
from streams.errors import DataError
from streams.store.codebook.effective import EffectiveCodebook, book
from streams.store.queries import prevalence
from streams.store.rows.prevalence import CountedTheme
from streams.store.warehouse import Warehouse


def placed_themes(warehouse: Warehouse, placements: str) -> list[PlacedTheme]:
    """Return each theme's prevalence now, and as it would be with topics in other places, as `themes` orders.

    Args:
        warehouse: the study.
        placements: `TOPIC=theme:NAME` or `TOPIC=into:TOPIC`, one a line.

    Raises:
        DataError: a placement is written in another way, or there is no such topic.
    """
    applied = book(warehouse)
    try:
        placed = [Placement.read(line) for line in placements.splitlines()]
    except BadInput as error:
        raise DataError(error.cause, error.cure) from error
    before = {row["theme"]: row for row in prevalence.themes(warehouse, applied=applied)}
    after = {row["theme"]: row for row in prevalence.themes(warehouse, applied=_after(applied, placed))}
    return [_pair(theme, before.get(theme), after.get(theme)) for theme in dict.fromkeys((*after, *before))]


def _after(applied: EffectiveCodebook, placed: list[Placement]) -> EffectiveCodebook:
    """Return the codebook with topics in their new places; a topic that was merged moves with its target."""
    entries = dict(applied.entries)
    for each in placed:
        for topic_id in (each.topic_id, *([] if each.into is None else [each.into])):
            if topic_id not in entries:
                raise DataError(f"there is no topic {topic_id}", "see /api/topics for the existing topics")
        moved = entries[each.topic_id].counts_as
        if each.into is None:
            entries[moved] = replace(entries[moved], theme=each.theme)
            continue
        into = entries[each.into].counts_as
        for topic_id, entry in entries.items():
            if entry.counts_as == moved:
                entries[topic_id] = replace(entry, counts_as=into)
    return EffectiveCodebook(applied.model_version, entries)


def _pair(theme: str, before: CountedTheme | None, after: CountedTheme | None) -> PlacedTheme:
    return {
        "theme": theme,
        "videos": before["videos"] if before else 0,
        "share": before["share"] if before else 0.0,
        "videos_after": after["videos"] if after else 0,
        "share_after": after["share"] if after else 0.0,
    }
