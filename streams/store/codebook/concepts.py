"""Queries of reviewers' judgements of paragraphs, and of the paragraphs that are most worth judging."""

from __future__ import annotations

from math import ceil

from streams.logs.concept_judgements import MODEL_REVIEWER
from streams.store.codebook.effective import book
from streams.store.codebook.topic_facts import facts
from streams.store.rows.codebook import ConceptJudgement, DoubtfulParagraph
from streams.store.warehouse import Warehouse, typed

PER_TOPIC = 5
"""Number of paragraphs of one topic where none was asked for; more if few topics share the limit."""


def concept_judgements(warehouse: Warehouse) -> list[ConceptJudgement]:
    """Return reviewers' judgements of paragraphs, without withdrawn ones, the latest first."""
    return warehouse.rows_as(
        ConceptJudgement,
        """
        SELECT video_id, paragraph_id, concept, verdict, reviewer, note, judged_at
        FROM concept_judgements FINAL WHERE verdict != 'withdrawn'
        ORDER BY judged_at DESC, paragraph_id, concept, reviewer
        """,
    )


def doubtful(
    warehouse: Warehouse, topic_id: int | None = None, reviewer: str = "", limit: int = 20
) -> list[DoubtfulParagraph]:
    """Return the paragraphs that are most worth judging: uncertain, and of frequent topics, first.

    Paragraphs that were drawn to validate the codebook are left out: no topic learns from them.

    Args:
        warehouse: the study.
        topic_id: a topic of the codebook; None: all, about as many paragraphs of each.
        reviewer: leave out what this reviewer has judged; for a language model, also what any person has;
            empty: what anybody has decided.
        limit: the most paragraphs to return.
    """
    applied = book(warehouse)
    known = facts(warehouse, applied.model_version)
    keys = {
        entry.topic_id: known[entry.topic_id]["key"]
        for entry in applied.retained
        if entry.topic_id in known and known[entry.topic_id]["key"]
    }
    wanted = [topic for topic in keys if topic_id is None or topic == topic_id]
    rows = warehouse.rows(
        """
        WITH counted AS (
            SELECT video_id, transcript_version FROM video_topics FINAL
            WHERE model_version = {model:String} AND withdrawn = 0
        ), said AS (
            SELECT video_id, paragraph_id, about.1 AS topic_id, about.2 AS probability
            FROM memberships FINAL ARRAY JOIN arrayZip(topic_ids, probabilities) AS about
            WHERE model_version = {model:String} AND has({wanted:Array(UInt32)}, topic_id)
        )
        SELECT s.topic_id AS topic_id, s.probability AS probability, p.video_id AS video_id,
               v.title AS title, v.url AS url, v.published_at AS published_at,
               p.paragraph_id AS paragraph_id, p.position AS position, p.start_s AS start_s, p.text AS text
        FROM said AS s
        INNER JOIN (SELECT * FROM paragraphs FINAL) AS p ON p.paragraph_id = s.paragraph_id
        INNER JOIN counted AS c ON c.video_id = p.video_id AND c.transcript_version = p.transcript_version
        LEFT JOIN (SELECT video_id, title, url, published_at FROM videos FINAL) AS v
            ON v.video_id = p.video_id
        INNER JOIN (SELECT topic_id, count() AS paragraphs FROM said GROUP BY topic_id) AS n
            ON n.topic_id = s.topic_id
        WHERE (s.paragraph_id, transform(s.topic_id, {ids:Array(UInt32)}, {keys:Array(String)}, '')) NOT IN (
            SELECT paragraph_id, concept FROM concept_judgements FINAL
            WHERE verdict != 'withdrawn' AND (
                reviewer = {reviewer:String}
                OR verdict != 'unsure' AND {reviewer:String} = ''
                OR NOT startsWith(reviewer, {a_model:String})
                    AND startsWith({reviewer:String}, {a_model:String})
            )
        ) AND s.paragraph_id NOT IN (SELECT paragraph_id FROM validation_samples)
        ORDER BY s.probability * (1 - s.probability) * log(1 + n.paragraphs) DESC, paragraph_id, topic_id
        LIMIT {each:UInt32} BY topic_id LIMIT {limit:UInt32}
        """,
        model=applied.model_version,
        wanted=wanted,
        ids=list(keys),
        keys=list(keys.values()),
        reviewer=reviewer,
        a_model=MODEL_REVIEWER,
        each=max(PER_TOPIC, ceil(limit / max(1, len(wanted)))),
        limit=limit,
    )
    named = [
        row | {"name": applied.name_of(row["topic_id"]), "concept": keys[row["topic_id"]]} for row in rows
    ]
    return typed(DoubtfulParagraph, named)
