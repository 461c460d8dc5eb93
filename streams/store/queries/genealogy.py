"""Queries of the genealogy of topics (births, splits, merges, dormancy, drift) and of the model's health."""

from __future__ import annotations

from typing import Any

from streams.store.cache import cached
from streams.store.codebook.effective import EffectiveCodebook, book, shown_model
from streams.store.codebook.topic_facts import facts
from streams.store.rows.topics import Change, Drift, Health, KnownTopic
from streams.store.warehouse import Warehouse, typed

_ORDER = ("consolidated", "rejected", "born", "split", "merged", "asleep", "awake")
"""The order of events in one step: causes come before their effects."""

TABLES = ("topics", "merges", "dormancies", "consolidations")
"""Tables that the genealogy is read from."""
DRIFTS = ("drifts",)
"""Tables that drifts are read from."""

_NO_COUNTS = "'' AS reason, 0 AS survival, 0 AS topics_before, 0 AS topics_after"
_STORY = f"""
    SELECT sequence, day, what, topic_id, other_id, reason, toFloat64(survival) AS survival, topics_before,
           topics_after
    FROM (
        SELECT born_sequence AS sequence, toDate32(emerged_at) AS day,
               if(parent = 0, 'born', 'split') AS what, topic_id, parent AS other_id, {_NO_COUNTS}
        FROM topics FINAL WHERE model_version = {{model:String}} AND origin = 'born'
        UNION ALL
        SELECT sequence, day, 'merged' AS what, topic_id, target AS other_id, {_NO_COUNTS}
        FROM merges FINAL WHERE model_version = {{model:String}}
        UNION ALL
        SELECT sequence, day, if(asleep, 'asleep', 'awake') AS what, topic_id, 0 AS other_id,
               {_NO_COUNTS}
        FROM dormancies FINAL WHERE model_version = {{model:String}}
        UNION ALL
        SELECT sequence, day, if(accepted, 'consolidated', 'rejected') AS what, 0 AS topic_id, 0 AS other_id,
               reason, survival, topics_before, topics_after
        FROM consolidations FINAL WHERE model_version = {{model:String}}
    )
    ORDER BY sequence, indexOf({list(_ORDER)}, what), topic_id
"""
_DRIFTED = """
    SELECT topic_id, '' AS topic, what, share_before, share_after, moved, words_before, words_after, since,
           videos_before, videos_after, drifted_at
    FROM drifts FINAL WHERE model_version = {model:String} ORDER BY sequence DESC, topic_id, what
"""


def genealogy(
    warehouse: Warehouse, topic_id: int | None = None, applied: EffectiveCodebook | None = None
) -> list[Change]:
    """Return the genealogy of topics, oldest first; with `topic_id`, of that one and those merged into it."""
    applied = applied or book(warehouse)
    family = None if topic_id is None else set(applied.family(topic_id))
    return typed(
        Change,
        [
            row | {"topic": applied.name_of(row["topic_id"]), "other": applied.name_of(row["other_id"])}
            for row in _story(warehouse, applied.model_version)
            if family is None or family & {row["topic_id"], row["other_id"]}
        ],
    )


def _story(warehouse: Warehouse, model: str) -> list[dict[str, Any]]:
    """Return the genealogy of all of a model's topics, oldest first, without their names."""
    return cached(warehouse, ("story", model), TABLES, lambda: warehouse.rows(_STORY, model=model))


def drifts(
    warehouse: Warehouse,
    topic_id: int | None = None,
    limit: int = 50,
    applied: EffectiveCodebook | None = None,
) -> list[Drift]:
    """Return the drifts of topics, the newest first; with `topic_id`, of it and those merged into it."""
    applied = applied or book(warehouse)
    family = None if topic_id is None else set(applied.family(topic_id))
    found: list[Drift] = [
        {**row, "topic": applied.name_of(row["topic_id"])}
        for row in _drifted(warehouse, applied.model_version)
        if family is None or row["topic_id"] in family
    ]
    return found[:limit]


def _drifted(warehouse: Warehouse, model: str) -> list[Drift]:
    """Return the drifts of all of a model's topics, the newest first, without their names."""
    return cached(
        warehouse, ("drifts", model), DRIFTS, lambda: warehouse.rows_as(Drift, _DRIFTED, model=model)
    )


def health(warehouse: Warehouse, limit: int = 20) -> list[Health]:
    """Return when the model began to fit the talks better or worse, the newest first."""
    return warehouse.rows_as(
        Health,
        """
        SELECT what, before, after, since, day FROM health FINAL WHERE model_version = {model:String}
        ORDER BY sequence DESC, what LIMIT {limit:UInt32}
        """,
        model=shown_model(warehouse),
        limit=limit,
    )


def topic(warehouse: Warehouse, topic_id: int, applied: EffectiveCodebook | None = None) -> KnownTopic | None:
    """Return one topic, or None where there is none; of a merged one, the topic that it counts for."""
    applied = applied or book(warehouse)
    known = applied.counts_as(topic_id)
    if known not in applied.entries:
        return None
    found = facts(warehouse, applied.model_version).get(known)
    if found is None:
        return None
    entry = applied.entries[known]
    parent = applied.entries.get(found["parent_id"])
    merged = [each for each in applied.family(known) if each != known]
    return {
        "topic_id": known,
        "name": entry.name,
        "theme": entry.theme,
        "retained": entry.retained,
        "reason": entry.reason,
        "origin": found["origin"],
        "emerged_at": found["emerged_at"],
        "parent_id": found["parent_id"],
        "words": found["words"],
        "words_at_birth": found["words_at_birth"],
        "asleep": found["asleep"],
        "doubted_since": found["doubted_since"],
        "parent": parent.name if parent else "",
        "asked_id": topic_id,
        "merged": [{"topic_id": each, "name": applied.entries[each].name} for each in merged],
    }
