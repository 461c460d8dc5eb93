"""What people decided about topics and themes, and what reviewers think: where deciding starts from."""

from __future__ import annotations

from streams.codebook_log import CodebookLog
from streams.events import CodebookDecided
from streams.store.book import shown_model
from streams.store.shown import MODEL, entries, named
from streams.store.warehouse import Row, Warehouse

_NEWEST = 2**64 - 1


def codebook_standing(warehouse: Warehouse, revision: int | None = None, model: str = "") -> Row:
    """The codebook as it stands, or stood at an earlier revision: what a decision starts from.

    Args:
        warehouse: the study's database.
        revision: None is the newest.
        model: whose topics; empty: those of the model that is shown.

    Returns:
        {revision, model_version, topics, themes}. topics: rows {topic_id, name, own, theme, retained, target,
        reason, revision, key, origin, alias, words} by id. name: what a person decided, or empty; own: what a
        labeller or the model calls it; target, alias: what a person or the model merged it into, or None;
        revision: the one that its entry is from. themes: rows {theme, description} by name.
    """
    version = model or shown_model(warehouse)
    until = _NEWEST if revision is None else revision
    of = {"model": version, "until": until}
    return {
        "revision": _revisions(warehouse, until)["revision"],
        "model_version": version,
        "topics": [_topic(row) for row in warehouse.rows(_TOPICS, **of)],
        "themes": warehouse.rows(_THEMES, **of),
    }


def codebook_revision(warehouse: Warehouse) -> Row:
    """How far the store is with the codebook's log.

    Returns:
        {revision, decisions, model_version}: the newest revision that it holds (0: none), how many it holds,
        and the model whose topics are shown.
    """
    return _revisions(warehouse, _NEWEST) | {"model_version": shown_model(warehouse)}


def codebook_decisions(warehouse: Warehouse, limit: int = 100, since: int = 0) -> list[Row]:
    """Decisions about the codebook from a revision on, newest first.

    Returns:
        Rows {revision, model_version, action, said, topic_ids, theme_names, undoes, author, note,
        decided_at}. undoes: the revision that it takes back, or None.
    """
    rows = warehouse.rows(
        """
        SELECT revision, model_version, action, said, topic_ids, theme_names, undoes, author, note, decided_at
        FROM decisions FINAL WHERE revision >= {since:UInt64} ORDER BY revision DESC LIMIT {limit:UInt32}
        """,
        since=since,
        limit=limit,
    )
    return [row | {"undoes": row["undoes"] or None} for row in rows]


def codebook_judgements(warehouse: Warehouse) -> list[Row]:
    """What each reviewer thinks of the topics of the model that is shown, by topic and reviewer.

    Returns:
        Rows {topic_id, name, reviewer, verdict, theme, note, judged_at}: verdict is include or exclude, theme
        where it belongs, or empty.
    """
    return warehouse.rows(
        f"""
        SELECT j.topic_id AS topic_id, n.name AS name, reviewer, verdict, j.theme AS theme, note, judged_at
        FROM (SELECT * FROM judgements FINAL WHERE model_version = {MODEL}) AS j
        LEFT JOIN {named()} AS n ON n.topic_id = j.topic_id
        ORDER BY topic_id, reviewer
        """
    )


def missing(log: CodebookLog, warehouse: Warehouse) -> list[CodebookDecided]:
    """Return the decisions in the log that the database does not hold, oldest first."""
    held = {row["revision"] for row in warehouse.rows("SELECT revision FROM decisions")}
    return list(log.missing(held))


_TOPICS = f"""
SELECT e.topic_id AS topic_id, e.decided AS name, e.own AS own, e.theme AS theme, e.retained AS retained,
       e.target AS target, e.reason AS reason, e.revision AS revision, t.codebook_key AS key,
       t.origin AS origin, a.target AS alias, w.words AS words
FROM {entries("AND revision <= {until:UInt64}", "{model:String}")} AS e
LEFT JOIN (SELECT * FROM topics FINAL WHERE model_version = {{model:String}}) AS t
    ON t.topic_id = e.topic_id
LEFT JOIN (SELECT topic_id, words FROM topic_words FINAL WHERE model_version = {{model:String}}) AS w
    ON w.topic_id = e.topic_id
LEFT JOIN (SELECT topic_id, target FROM aliases WHERE model_version = {{model:String}}) AS a
    ON a.topic_id = e.topic_id
ORDER BY topic_id
"""

_THEMES = """
WITH
    entries AS (
        SELECT topic_id, theme, revision FROM codebook_entries
        WHERE model_version = {model:String} AND revision <= {until:UInt64}
    ),
    said AS (
        SELECT theme, argMax(description, revision) AS description, argMax(removed, revision) AS removed
        FROM themes WHERE model_version = {model:String} AND revision <= {until:UInt64} GROUP BY theme
    ),
    used AS (SELECT theme FROM entries ORDER BY topic_id, revision DESC LIMIT 1 BY topic_id)
SELECT k.theme AS theme, s.description AS description
FROM (SELECT theme FROM entries UNION DISTINCT SELECT theme FROM said) AS k
LEFT JOIN said AS s ON s.theme = k.theme
WHERE k.theme != '' AND (s.removed = 0 OR k.theme IN (SELECT theme FROM used))
ORDER BY theme
"""


def _topic(row: Row) -> Row:
    merged = {"target": row["target"] or None, "alias": row["alias"] or None}
    return row | merged | {"retained": bool(row["retained"]), "words": list(row["words"])}


def _revisions(warehouse: Warehouse, until: int) -> Row:
    return warehouse.rows(
        """
        SELECT max(d.revision) AS revision, uniqExact(d.revision) AS decisions FROM decisions AS d
        WHERE d.revision <= {until:UInt64}
        """,
        until=until,
    )[0]
