"""Facts of each topic: its origin, its words at birth and now, and whether it is dormant."""

from __future__ import annotations

from typing import Any

from streams.store.cache import cached
from streams.store.rows.topics import TopicFacts
from streams.store.warehouse import Warehouse, typed

TABLES = ("topics", "topic_words", "dormancies", "drifts")
"""Tables that the facts are read from."""


def facts(warehouse: Warehouse, model: str) -> dict[int, TopicFacts]:
    """Return the facts of a model's topics, by topic; callers share them and must not change them."""
    return cached(warehouse, ("facts", model), TABLES, lambda: _gathered(warehouse, model))


def _gathered(warehouse: Warehouse, model: str) -> dict[int, TopicFacts]:
    """Read the facts by plain queries, as in `entries`."""

    def rows(columns: str, of: str, also: str = "1") -> list[dict[str, Any]]:
        return warehouse.rows(
            f"SELECT topic_id, {columns} FROM {of} FINAL WHERE model_version = {{model:String}} AND {also}",
            model=model,
        )

    known = rows(
        "codebook_key AS key, origin, emerged_at, parent AS parent_id, words AS words_at_birth", "topics"
    )
    words = {row["topic_id"]: row["words"] for row in rows("words", "topic_words")}
    slept = rows("sequence, asleep", "dormancies")
    asleep = {row["topic_id"]: row["asleep"] for row in sorted(slept, key=_place_in_log)}
    meanings = rows("sequence, since, share_before, share_after", "drifts", "what = 'meaning'")
    doubted = {
        row["topic_id"]: row["since"] if row["share_after"] < row["share_before"] else None
        for row in sorted(meanings, key=lambda row: row["sequence"])
    }
    whole = [
        row
        | {
            "words": words.get(row["topic_id"], []),
            "asleep": bool(asleep.get(row["topic_id"])),
            "doubted_since": doubted.get(row["topic_id"]),
        }
        for row in known
    ]
    return {row["topic_id"]: row for row in typed(TopicFacts, whole)}


def _place_in_log(slept: dict[str, Any]) -> tuple[int, int]:
    return slept["sequence"], slept["asleep"]
