"""What each topic is: where it comes from, its words at birth and now, and whether it sleeps."""

from __future__ import annotations

from streams.store.warehouse import Row, Warehouse


def facts(warehouse: Warehouse, model: str, topic_id: int | None = None) -> dict[int, Row]:
    """Return what is known of a model's topics, or of one of them, by topic. Plain queries, as `entries`.

    Returns:
        {topic_id, key, origin, emerged_at, parent_id, words_at_birth, words, asleep} of each. key: its name
        in the codebook it was seeded from, else empty; origin: seeded or born; words: strongest first.
    """
    one = "" if topic_id is None else "AND topic_id = {topic:UInt32}"

    def rows(columns: str, of: str) -> list[Row]:
        return warehouse.rows(
            f"SELECT topic_id, {columns} FROM {of} FINAL WHERE model_version = {{model:String}} {one}",
            model=model,
            topic=topic_id or 0,
        )

    known = rows(
        "codebook_key AS key, origin, emerged_at, parent AS parent_id, words AS words_at_birth", "topics"
    )
    words = {row["topic_id"]: row["words"] for row in rows("words", "topic_words")}
    slept = rows("sequence, asleep", "dormancies")
    asleep = {row["topic_id"]: row["asleep"] for row in sorted(slept, key=_moment)}
    return {
        row["topic_id"]: row
        | {"words": words.get(row["topic_id"], []), "asleep": bool(asleep.get(row["topic_id"]))}
        for row in known
    }


def _moment(slept: Row) -> tuple[int, int]:
    return slept["sequence"], slept["asleep"]
