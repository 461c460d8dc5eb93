"""What became of topics: births, splits, merges, sleep, consolidations, drift; and the model's health."""

from __future__ import annotations

from streams.store.book import Book, book
from streams.store.shown import ASLEEP, FAMILY, MODEL, NAMED
from streams.store.warehouse import Row, Warehouse

_ORDER = ("consolidated", "rejected", "born", "split", "merged", "asleep", "awake")
"""Of what happened in one step, what the rest follows from comes first."""

_NO_COUNTS = "'' AS reason, 0 AS survival, 0 AS topics_before, 0 AS topics_after"
_STORY = f"""
    SELECT born_sequence AS sequence, toDate32(emerged_at) AS day, if(parent = 0, 'born', 'split') AS what,
           topic_id, parent AS other_id, {_NO_COUNTS}
    FROM topics FINAL WHERE model_version = {MODEL} AND origin = 'born'
    UNION ALL
    SELECT sequence, day, 'merged' AS what, topic_id, target AS other_id, {_NO_COUNTS}
    FROM merges FINAL WHERE model_version = {MODEL}
    UNION ALL
    SELECT sequence, day, if(asleep, 'asleep', 'awake') AS what, topic_id, 0 AS other_id,
           {_NO_COUNTS}
    FROM dormancies FINAL WHERE model_version = {MODEL}
    UNION ALL
    SELECT sequence, day, if(accepted, 'consolidated', 'rejected') AS what, 0 AS topic_id, 0 AS other_id,
           reason, survival, topics_before, topics_after
    FROM consolidations FINAL WHERE model_version = {MODEL}
"""


def genealogy(warehouse: Warehouse, topic_id: int | None = None) -> list[Row]:
    """What happened to topics, oldest first; with `topic_id`, to that one and those merged into it.

    Returns:
        Rows {sequence, day, what, topic_id, topic, other_id, other, reason, survival, topics_before,
        topics_after}. `what` is born, split (off `other`), merged (into `other`), asleep, awake; or, of the
        topics as a whole (topic_id = 0), consolidated or rejected, with reason, survival and how many topics.
    """
    family = f"WHERE topic_id IN {FAMILY} OR other_id IN {FAMILY}" if topic_id is not None else ""
    return warehouse.rows(
        f"""
        SELECT s.sequence AS sequence, s.day AS day, s.what AS what, s.topic_id AS topic_id,
               a.name AS topic, s.other_id AS other_id, b.name AS other, s.reason AS reason,
               toFloat64(s.survival) AS survival, s.topics_before AS topics_before,
               s.topics_after AS topics_after
        FROM (SELECT * FROM ({_STORY}) {family}) AS s
        LEFT JOIN {NAMED} AS a ON a.topic_id = s.topic_id
        LEFT JOIN {NAMED} AS b ON b.topic_id = s.other_id
        ORDER BY sequence, indexOf({list(_ORDER)}, what), topic_id
        """,
        topic=topic_id or 0,
    )


def drifts(warehouse: Warehouse, topic_id: int | None = None, limit: int = 50) -> list[Row]:
    """How topics changed, the newest first; with `topic_id`, that one and those merged into it.

    Returns:
        Rows {topic_id, topic, what, share_before, share_after, moved, words_before, words_after, since,
        videos_before, videos_after, drifted_at}. `what` is share, words (moved: Jensen-Shannon, bits) or
        centre (moved: cosine distance).
    """
    family = f"AND topic_id IN {FAMILY}" if topic_id is not None else ""
    return warehouse.rows(
        f"""
        SELECT d.topic_id AS topic_id, n.name AS topic, what, share_before, share_after, moved, words_before,
               words_after, since, videos_before, videos_after, drifted_at
        FROM (SELECT * FROM drifts FINAL WHERE model_version = {MODEL} {family}) AS d
        LEFT JOIN {NAMED} AS n ON n.topic_id = d.topic_id
        ORDER BY sequence DESC, topic_id, what LIMIT {{limit:UInt32}}
        """,
        topic=topic_id or 0,
        limit=limit,
    )


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


def topic(warehouse: Warehouse, topic_id: int, applied: Book | None = None) -> Row | None:
    """One topic, or None where there is none; of a merged one, the topic that it counts for.

    Returns:
        {topic_id, name, theme, retained, reason, origin, emerged_at, parent_id, parent, asleep, words,
        words_at_birth, asked_id, merged: [{topic_id, name}]}; asked_id is what was asked for.
    """
    applied = applied or book(warehouse)
    known = applied.counts_as(topic_id)
    if known not in applied.entries:
        return None
    rows = warehouse.rows(
        f"""
        SELECT t.origin AS origin, t.emerged_at AS emerged_at, t.parent AS parent_id, w.words AS words,
               t.words AS words_at_birth, s.asleep AS asleep
        FROM (
            SELECT * FROM topics FINAL WHERE model_version = {{model:String}} AND topic_id = {{topic:UInt32}}
        ) AS t
        LEFT JOIN (
            SELECT topic_id, words FROM topic_words FINAL
            WHERE model_version = {{model:String}} AND topic_id = {{topic:UInt32}}
        ) AS w ON w.topic_id = t.topic_id
        LEFT JOIN {ASLEEP} AS s ON s.topic_id = t.topic_id
        """,
        model=applied.model_version,
        topic=known,
    )
    if not rows:
        return None
    found, entry = rows[0], applied.entries[known]
    parent = applied.entries.get(found["parent_id"])
    merged = [each for each in applied.family(known) if each != known]
    return {
        "topic_id": known,
        "name": entry.name,
        "theme": entry.theme,
        "retained": entry.retained,
        "reason": entry.reason,
        **found,
        "parent": parent.name if parent else "",
        "asleep": bool(found["asleep"]),
        "asked_id": topic_id,
        "merged": [{"topic_id": each, "name": applied.entries[each].name} for each in merged],
    }
