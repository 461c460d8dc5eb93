"""Query of the paragraphs of a talk, in the order of time, with their topics."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from streams.store.codebook.effective import EffectiveCodebook, book
from streams.store.codebook.speaker_names import named
from streams.store.codebook.sql_fragments import TOPICS_OF_PARAGRAPHS, UNSORTED
from streams.store.rows.talks import Paragraph
from streams.store.warehouse import Warehouse, typed


def paragraphs(warehouse: Warehouse, video_id: str, codebook: int | None = None) -> list[Paragraph]:
    """Return the paragraphs of a talk in the order of time, each with the topic that it counts for.

    They are those of the transcript that counts: the one that the model learned last. Before the model has
    learned the talk, they are those of the newest transcript by name, without topics.

    Args:
        warehouse: the study.
        video_id: the talk.
        codebook: topics as of this revision of the codebook; None: the newest.
    """
    applied = book(warehouse, codebook)
    rows = warehouse.rows(
        """
        SELECT p.video_id AS video_id, p.transcript_version AS transcript_version,
               p.position AS position, p.paragraph_id AS paragraph_id, p.start_s AS start_s, p.end_s AS end_s,
               p.speakers AS speakers, p.text AS text, a.about AS about, a.boilerplate = 1 AS boilerplate
        FROM (
            SELECT * FROM paragraphs FINAL
            WHERE video_id = {video:String} AND transcript_version = (
                SELECT if(max(transcript_version) != '', max(transcript_version), (
                    SELECT max(transcript_version) FROM paragraphs WHERE video_id = {video:String}
                ))
                FROM video_topics FINAL WHERE model_version = {model:String} AND video_id = {video:String}
            )
        ) AS p
        LEFT JOIN ("""
        + TOPICS_OF_PARAGRAPHS.format(wanted="video_id = {video:String}")
        + """) AS a ON a.paragraph_id = p.paragraph_id
        ORDER BY position
        """,
        video=video_id,
        model=applied.model_version,
    )
    return typed(Paragraph, [_with_topic(row, applied) for row in named(warehouse, rows)])


def _with_topic(row: dict[str, Any], applied: EffectiveCodebook) -> dict[str, Any]:
    """Return a paragraph with the topics that its own count for: first one that counts, if any does."""
    row = {name: value for name, value in row.items() if name not in ("video_id", "transcript_version")}
    topics = topics_counted(row.pop("about"), applied)
    flags = {"boilerplate": bool(row["boilerplate"])}
    if not topics:
        none = dict.fromkeys(("topic_id", "name", "theme", "probability"))
        return row | none | flags | {"retained": False, "further": []}
    return row | topics[0] | flags | {"further": topics[1:]}


def topics_counted(about: Sequence[Any], applied: EffectiveCodebook) -> list[dict[str, Any]]:
    """Return the topics that a paragraph's topics count for, each once, those that count first.

    Args:
        about: pairs of topic and probability (`TOPICS_OF_PARAGRAPHS`).
    """
    found: dict[int, dict[str, Any]] = {}
    for assigned, probability in map(tuple, about):
        topic_id = applied.counts_as(assigned)
        entry = applied.entries.get(topic_id)
        found.setdefault(
            topic_id,
            {
                "topic_id": topic_id,
                "name": entry.name if entry else f"topic {topic_id}",
                "theme": entry.theme if entry else UNSORTED,
                "retained": bool(entry and entry.retained),
                "probability": probability,
            },
        )
    return sorted(found.values(), key=lambda topic: not topic["retained"])
