"""The genealogy of topics: births, splits, merges, sleep, consolidations, drift; and the model's health."""

from __future__ import annotations

from streams.store.cache import cached
from streams.store.codebook.effective import EffectiveCodebook, book
from streams.store.codebook.sql_fragments import MODEL
from streams.store.codebook.topic_facts import facts
from streams.store.warehouse import Row, Warehouse

_FACTS = ("origin", "emerged_at", "parent_id", "words", "words_at_birth", "asleep")
_ORDER = ("consolidated", "rejected", "born", "split", "merged", "asleep", "awake")
"""Of what happened in one step, what the rest follows from comes first."""

TABLES = ("topics", "merges", "dormancies", "consolidations")
"""What the story of topics is made of."""
DRIFTS = ("drifts",)
"""What is known of their drift is in these."""

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
) -> list[Row]:
    """What happened to topics, oldest first; with `topic_id`, to that one and those that count for it.

    Returns:
        Rows {sequence, day, what, topic_id, topic, other_id, other, reason, survival, topics_before,
        topics_after}. `what` is born, split (off `other`), merged (into `other`), asleep, awake; or, of the
        topics as a whole (topic_id = 0), consolidated or rejected, with reason, survival and how many topics.
    """
    applied = applied or book(warehouse)
    family = None if topic_id is None else set(applied.family(topic_id))
    return [
        row | {"topic": applied.name_of(row["topic_id"]), "other": applied.name_of(row["other_id"])}
        for row in _story(warehouse, applied.model_version)
        if family is None or family & {row["topic_id"], row["other_id"]}
    ]


def _story(warehouse: Warehouse, model: str) -> list[Row]:
    """Return what happened to all of a model's topics, oldest first."""
    return cached(warehouse, ("story", model), TABLES, lambda: warehouse.rows(_STORY, model=model))


def drifts(
    warehouse: Warehouse,
    topic_id: int | None = None,
    limit: int = 50,
    applied: EffectiveCodebook | None = None,
) -> list[Row]:
    """How topics changed, the newest first; with `topic_id`, that one and those that count for it.

    Returns:
        Rows {topic_id, topic, what, share_before, share_after, moved, words_before, words_after, since,
        videos_before, videos_after, drifted_at}. `what` is share, words (moved: Jensen-Shannon, bits) or
        centre (moved: cosine distance).
    """
    applied = applied or book(warehouse)
    family = None if topic_id is None else set(applied.family(topic_id))
    found = [
        row | {"topic": applied.name_of(row["topic_id"])}
        for row in _drifted(warehouse, applied.model_version)
        if family is None or row["topic_id"] in family
    ]
    return found[:limit]


def _drifted(warehouse: Warehouse, model: str) -> list[Row]:
    """Return how all of a model's topics changed, the newest first."""
    return cached(warehouse, ("drifts", model), DRIFTS, lambda: warehouse.rows(_DRIFTED, model=model))


def health(warehouse: Warehouse, limit: int = 20) -> list[Row]:
    """When the model began to fit the talks better or worse, the newest first.

    Returns:
        Rows {what, before, after, since, day}: what is outliers (share of paragraphs without a topic) or
        novelty (mean of 1 - highest cosine).
    """
    return warehouse.rows(
        f"""
        SELECT what, before, after, since, day FROM health FINAL WHERE model_version = {MODEL}
        ORDER BY sequence DESC, what LIMIT {{limit:UInt32}}
        """,
        limit=limit,
    )


def topic(warehouse: Warehouse, topic_id: int, applied: EffectiveCodebook | None = None) -> Row | None:
    """One topic, or None where there is none; of a merged one, the topic that it counts for.

    Returns:
        {topic_id, name, theme, retained, reason, origin, emerged_at, parent_id, parent, asleep, words,
        words_at_birth, asked_id, merged: [{topic_id, name}]}; asked_id is what was asked for.
    """
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
        **{name: found[name] for name in _FACTS},
        "parent": parent.name if parent else "",
        "asked_id": topic_id,
        "merged": [{"topic_id": each, "name": applied.entries[each].name} for each in merged],
    }
