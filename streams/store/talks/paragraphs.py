"""The paragraphs of a talk, in time, with what each is about."""

from __future__ import annotations

from streams.store.codebook.effective import EffectiveCodebook, book
from streams.store.codebook.speaker_names import named
from streams.store.codebook.sql_fragments import UNSORTED
from streams.store.warehouse import Row, Warehouse
from streams.store.writer import NO_TOPIC


def paragraphs(warehouse: Warehouse, video_id: str, codebook: int | None = None) -> list[Row]:
    """The paragraphs of a talk in the order they are spoken, each with the topic that it counts for.

    They are those of the transcript that counts: the one that the model learned last. Before it has learned
    the talk, of the newest one by name, without topics.

    Args:
        warehouse: the study.
        video_id: the talk.
        codebook: topics as of this revision of the codebook; None: the newest.

    Returns:
        Rows {position, paragraph_id, start_s, end_s, speakers, text, topic_id, name, theme, retained,
        probability, boilerplate}; start_s, end_s in seconds. topic_id, name, theme and probability are None
        where it has no topic; retained: its topic counts.
    """
    applied = book(warehouse, codebook)
    rows = warehouse.rows(
        """
        SELECT p.video_id AS video_id, p.transcript_version AS transcript_version,
               p.position AS position, p.paragraph_id AS paragraph_id, p.start_s AS start_s, p.end_s AS end_s,
               p.speakers AS speakers, p.text AS text, a.topic_id AS assigned, a.probability AS probability,
               a.boilerplate = 1 AS boilerplate
        FROM (
            SELECT * FROM paragraphs FINAL
            WHERE video_id = {video:String} AND transcript_version = (
                SELECT if(max(transcript_version) != '', max(transcript_version), (
                    SELECT max(transcript_version) FROM paragraphs WHERE video_id = {video:String}
                ))
                FROM video_topics FINAL WHERE model_version = {model:String} AND video_id = {video:String}
            )
        ) AS p
        LEFT JOIN (
            SELECT paragraph_id, topic_id, probability, boilerplate FROM assignments FINAL
            WHERE model_version = {model:String} AND video_id = {video:String}
        ) AS a ON a.paragraph_id = p.paragraph_id
        ORDER BY position
        """,
        video=video_id,
        model=applied.model_version,
    )
    return [_about(row, applied) for row in named(warehouse, rows)]


def _about(row: Row, applied: EffectiveCodebook) -> Row:
    """Say of a paragraph what the topic that the model assigned counts for."""
    row = {name: value for name, value in row.items() if name not in ("video_id", "transcript_version")}
    topic_id = applied.counts_as(row.pop("assigned"))
    flags = {"boilerplate": bool(row["boilerplate"])}
    if topic_id == NO_TOPIC:
        none = dict.fromkeys(("topic_id", "name", "theme", "probability"))
        return row | none | flags | {"retained": False}
    entry = applied.entries.get(topic_id)
    about = {
        "topic_id": topic_id,
        "name": entry.name if entry else f"topic {topic_id}",
        "theme": entry.theme if entry else UNSORTED,
        "retained": bool(entry and entry.retained),
    }
    return row | about | flags
