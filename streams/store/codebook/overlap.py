"""Query of how far topics that were born overlap topics of the codebook, by the paragraphs of both."""

from __future__ import annotations

from streams.store.codebook.effective import EffectiveCodebook, book
from streams.store.codebook.topic_facts import facts
from streams.store.rows.codebook import CountedOverlap
from streams.store.warehouse import Warehouse

ANY = 0
"""Stands for all of a cluster's paragraphs among its concepts, and for no cluster among clusters."""


def overlaps(warehouse: Warehouse, topic_id: int | None = None) -> list[CountedOverlap]:
    """Return born topics and topics of the codebook that their paragraphs are about, the largest share first.

    Both count with all topics that were merged into them; those that do not count are left out. So are
    paragraphs of earlier transcripts, of withdrawn talks, and those that a source repeats.

    Args:
        warehouse: the study.
        topic_id: a topic that was born; None: all.
    """
    applied = book(warehouse)
    clusters, concepts = _units(warehouse, applied)
    if not clusters or not concepts:
        return []
    rows = warehouse.rows(
        """
        WITH counted AS (
            SELECT video_id, transcript_version FROM video_topics FINAL
            WHERE model_version = {model:String} AND withdrawn = 0
        ), said AS (
            SELECT p.paragraph_id AS paragraph_id
            FROM (SELECT paragraph_id, video_id, transcript_version FROM paragraphs FINAL) AS p
            INNER JOIN counted AS c
                ON c.video_id = p.video_id AND c.transcript_version = p.transcript_version
        )
        SELECT cluster, concept, count() AS paragraphs, uniqExact(video_id) AS videos
        FROM (
            SELECT a.video_id AS video_id,
                   transform(a.topic_id, {clusters:Array(UInt32)}, {cluster_units:Array(UInt32)},
                             toUInt32(0)) AS cluster,
                   arrayDistinct(arrayFilter(unit -> unit > 0, arrayMap(
                       id -> transform(id, {concepts:Array(UInt32)}, {concept_units:Array(UInt32)},
                                       toUInt32(0)), m.topic_ids))) AS about
            FROM (
                SELECT video_id, paragraph_id, topic_id FROM assignments FINAL
                WHERE model_version = {model:String} AND boilerplate = 0
                    AND paragraph_id IN (SELECT paragraph_id FROM said)
            ) AS a
            LEFT JOIN (
                SELECT paragraph_id, topic_ids FROM memberships FINAL WHERE model_version = {model:String}
            ) AS m ON m.paragraph_id = a.paragraph_id
        )
        ARRAY JOIN arrayPushBack(about, toUInt32(0)) AS concept
        GROUP BY cluster, concept
        """,
        model=applied.model_version,
        clusters=list(clusters),
        cluster_units=list(clusters.values()),
        concepts=list(concepts),
        concept_units=list(concepts.values()),
    )
    everywhere: dict[int, int] = {}
    for row in rows:
        everywhere[row["concept"]] = everywhere.get(row["concept"], 0) + row["paragraphs"]
    whole = {row["cluster"]: row for row in rows if row["concept"] == ANY}
    wanted = None if topic_id is None else applied.counts_as(topic_id)
    found = [
        _overlap(applied, row, whole[row["cluster"]], everywhere[row["concept"]] / everywhere[ANY])
        for row in rows
        if row["concept"] != ANY and row["cluster"] != ANY and wanted in {None, row["cluster"]}
    ]
    return sorted(found, key=lambda row: (-row["share"], row["topic_id"], row["concept_id"]))


def _units(warehouse: Warehouse, applied: EffectiveCodebook) -> tuple[dict[int, int], dict[int, int]]:
    """Return the topics that count for a born topic, and those that count for a concept, with which one."""
    known = facts(warehouse, applied.model_version)
    clusters: dict[int, int] = {}
    concepts: dict[int, int] = {}
    for topic_id, entry in applied.counted.items():
        if entry.topic_id in known and topic_id in known:
            of_codebook = bool(known[entry.topic_id]["key"])
            if of_codebook and known[topic_id]["key"]:
                concepts[topic_id] = entry.topic_id
            elif not of_codebook:
                clusters[topic_id] = entry.topic_id
    return clusters, concepts


def _overlap(
    applied: EffectiveCodebook, both: dict[str, int], whole: dict[str, int], expected: float
) -> CountedOverlap:
    entry, concept = applied.entries[both["cluster"]], applied.entries[both["concept"]]
    share = both["paragraphs"] / whole["paragraphs"]
    return {
        "topic_id": entry.topic_id,
        "name": entry.name,
        "theme": entry.theme,
        "concept_id": concept.topic_id,
        "concept_name": concept.name,
        "paragraphs": both["paragraphs"],
        "of_paragraphs": whole["paragraphs"],
        "share": share,
        "expected": expected,
        "lift": share / expected,
        "videos": both["videos"],
        "of_videos": whole["videos"],
    }
