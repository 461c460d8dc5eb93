"""Facts of each topic: its origin, its words at birth and now, and whether it sleeps."""

from __future__ import annotations

from streams.store.cache import cached
from streams.store.warehouse import Row, Warehouse

TABLES = ("topics", "topic_words", "dormancies")
"""What is known of topics is in these."""


def facts(warehouse: Warehouse, model: str) -> dict[int, Row]:
    """Return what is known of a model's topics, by topic; callers share it, and do not change it.

    Returns:
        {topic_id, key, origin, emerged_at, parent_id, words_at_birth, words, asleep} of each. key: its name
        in the codebook it was seeded from, else empty; origin: seeded or born; words: strongest first.
    """
    return cached(warehouse, ("facts", model), TABLES, lambda: _gathered(warehouse, model))


def _gathered(warehouse: Warehouse, model: str) -> dict[int, Row]:
    """Put the facts together; by plain queries, as in `entries`."""

    def rows(columns: str, of: str) -> list[Row]:
        return warehouse.rows(
            f"SELECT topic_id, {columns} FROM {of} FINAL WHERE model_version = {{model:String}}", model=model
        )

    known = rows(
        "codebook_key AS key, origin, emerged_at, parent AS parent_id, words AS words_at_birth", "topics"
    )
    words = {row["topic_id"]: row["words"] for row in rows("words", "topic_words")}
    slept = rows("sequence, asleep", "dormancies")
    asleep = {row["topic_id"]: row["asleep"] for row in sorted(slept, key=_place_in_log)}
    return {
        row["topic_id"]: row
        | {"words": words.get(row["topic_id"], []), "asleep": bool(asleep.get(row["topic_id"]))}
        for row in known
    }


def _place_in_log(slept: Row) -> tuple[int, int]:
    return slept["sequence"], slept["asleep"]
