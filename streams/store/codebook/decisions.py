"""Queries of decisions about topics and themes, and of reviewers' judgements."""

from __future__ import annotations

from streams.events import CodebookDecided
from streams.logs.codebook_log import CodebookLog
from streams.store.codebook.effective import book, merged_topics, shown_model
from streams.store.codebook.entries import NEWEST, entries
from streams.store.codebook.topic_facts import facts
from streams.store.rows.codebook import (
    Codebook,
    CodebookTheme,
    CodebookTopic,
    Decision,
    Judgement,
    Revision,
    StoredEntry,
    StoredRevisions,
)
from streams.store.rows.topics import TopicFacts
from streams.store.warehouse import Warehouse


def codebook_standing(warehouse: Warehouse, revision: int | None = None, model: str = "") -> Codebook:
    """Return the codebook, which a decision starts from, as of now or of an earlier revision.

    Args:
        warehouse: the study's database.
        revision: the revision; None: the newest.
        model: the model's version whose topics to return; empty: the model that is shown.
    """
    version = model or shown_model(warehouse)
    until = NEWEST if revision is None else revision
    known = facts(warehouse, version)
    aliases = merged_topics(warehouse, version)
    return {
        "revision": _revisions(warehouse, until)["revision"],
        "model_version": version,
        "topics": [
            _topic(row, known.get(row["topic_id"]), aliases.get(row["topic_id"]))
            for row in entries(warehouse, version, until)
        ],
        "themes": warehouse.rows_as(CodebookTheme, _THEMES, model=version, until=until),
    }


def codebook_revision(warehouse: Warehouse) -> Revision:
    """Return how much of the codebook's log the store holds."""
    return {**_revisions(warehouse, NEWEST), "model_version": shown_model(warehouse)}


def codebook_decisions(warehouse: Warehouse, limit: int = 100, since: int = 0) -> list[Decision]:
    """Return decisions about the codebook from a revision on, newest first."""
    rows = warehouse.rows_as(
        Decision,
        """
        SELECT revision, model_version, action, said, topic_ids, theme_names, undoes, author, note, decided_at
        FROM decisions FINAL WHERE revision >= {since:UInt64} ORDER BY revision DESC LIMIT {limit:UInt32}
        """,
        since=since,
        limit=limit,
    )
    return [{**row, "undoes": row["undoes"] or None} for row in rows]


def codebook_judgements(warehouse: Warehouse) -> list[Judgement]:
    """Return reviewers' judgements of the topics of the model that is shown, by topic and reviewer."""
    applied = book(warehouse)
    rows = warehouse.rows_as(
        Judgement,
        """
        SELECT topic_id, '' AS name, reviewer, verdict, theme, note, judged_at FROM judgements FINAL
        WHERE model_version = {model:String} ORDER BY topic_id, reviewer
        """,
        model=applied.model_version,
    )
    return [{**row, "name": applied.name_of(row["topic_id"])} for row in rows]


def missing(log: CodebookLog, warehouse: Warehouse) -> list[CodebookDecided]:
    """Return the decisions in the log that the database does not hold, oldest first."""
    held = {row["revision"] for row in warehouse.rows("SELECT revision FROM decisions")}
    return list(log.missing(held))


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


def _topic(entry: StoredEntry, known: TopicFacts | None, alias: int | None) -> CodebookTopic:
    """Return a topic of the codebook; `known` is None where only decisions about it are stored yet."""
    return {
        "topic_id": entry["topic_id"],
        "name": entry["decided"],
        "own": entry["own"],
        "theme": entry["theme"],
        "retained": bool(entry["retained"]),
        "target": entry["target"] or None,
        "reason": entry["reason"],
        "revision": entry["revision"],
        "key": known["key"] if known else "",
        "origin": known["origin"] if known else "",
        "alias": alias,
        "words": list(known["words"]) if known else [],
    }


def _revisions(warehouse: Warehouse, until: int) -> StoredRevisions:
    return warehouse.rows_as(
        StoredRevisions,
        """
        SELECT max(d.revision) AS revision, uniqExact(d.revision) AS decisions FROM decisions AS d
        WHERE d.revision <= {until:UInt64}
        """,
        until=until,
    )[0]
