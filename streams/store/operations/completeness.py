"""Queries of what the database has: each video's progress with all its facts, and the topic model's steps."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from streams.store.codebook.effective import shown_model
from streams.store.codebook.sql_fragments import OF_MODEL
from streams.store.operations.throughput import NEXT
from streams.store.rows.operations import UnfinishedVideo
from streams.store.talks import talk_queries
from streams.store.warehouse import Warehouse, typed
from streams.timestamps import storable

STEPS = {
    "topics": "born_sequence",
    "topic_words": "sequence",
    "codebook_entries": "revision",
    "drifts": "sequence",
    "merges": "sequence",
    "dormancies": "sequence",
    "emergences": "sequence",
    "learned": "sequence",
}
"""Tables of the topic model's outputs with a topic or a talk, and the column that orders their rows."""
OF_THE_MODEL = {"consolidations": "sequence", "health": "sequence", "epochs": "epoch"}
"""Those about the model as a whole."""
REPLACED = frozenset({"topic_words", "merges", "learned"})
"""Tables of which only the row with the highest number is kept, by topic or talk."""


class Completeness(NamedTuple):
    """The videos that the database knows, by what it has of them.

    `complete`: finished, with all facts. `lacking`: finished, with facts missing. `moving`: not finished,
    by video its state. `aside`: neither, such as rejected videos that a reviewer keeps.
    """

    complete: frozenset[str]
    lacking: frozenset[str]
    moving: dict[str, str]
    aside: frozenset[str]

    @property
    def known(self) -> frozenset[str]:
        """All of them."""
        return self.complete | self.lacking | self.moving.keys() | self.aside


class StepFact(NamedTuple):
    """A row of the topic model's outputs: `about` is the number of a topic, or the id of a talk."""

    table: str
    model_version: str
    about: str
    number: int


def completeness(warehouse: Warehouse) -> Completeness:
    """Return the videos that the database knows, by what it has of them."""
    states = {
        row["video_id"]: row["state"] for row in warehouse.rows("SELECT video_id, state FROM progress FINAL")
    }
    finished = talk_queries.finished_videos(warehouse)
    complete = talk_queries.complete_videos(warehouse) - _torn(warehouse)
    open_states = {video_id: state for video_id, state in states.items() if video_id not in finished}
    moving = {video_id: state for video_id, state in open_states.items() if NEXT[state] is not None}
    return Completeness(
        frozenset(complete),
        frozenset(finished - complete),
        moving,
        frozenset(open_states.keys() - moving.keys()),
    )


def _torn(warehouse: Warehouse) -> set[str]:
    """Return finished videos of which rows are missing that one event writes together with others.

    No order in which events arrive explains that; only a loss of the database's files does.
    """
    rows = warehouse.rows(
        f"""
        WITH newest AS (SELECT video_id, transcript_version FROM learned FINAL WHERE {OF_MODEL})
        SELECT video_id FROM progress FINAL WHERE state IN ('assigned', 'rejected') AND (
            video_id NOT IN (SELECT video_id FROM videos)
            OR state = 'rejected' AND video_id NOT IN (SELECT video_id FROM screenings)
            OR state = 'assigned' AND video_id NOT IN (SELECT video_id FROM learned)
        )
        UNION DISTINCT
        SELECT video_id FROM newest
        WHERE video_id NOT IN (SELECT video_id FROM video_topics WHERE {OF_MODEL})
        UNION DISTINCT
        SELECT video_id FROM (
            SELECT p.video_id AS video_id, count() AS paragraphs, max(p.position) + 1 AS length,
                   countIf(a.paragraph_id != '') AS clustered, countIf(m.paragraph_id != '') AS judged
            FROM (
                SELECT video_id, paragraph_id, position FROM paragraphs FINAL
                WHERE (video_id, transcript_version) IN newest
            ) AS p
            LEFT JOIN (SELECT DISTINCT paragraph_id FROM assignments WHERE {OF_MODEL}) AS a
                ON a.paragraph_id = p.paragraph_id
            LEFT JOIN (SELECT DISTINCT paragraph_id FROM memberships WHERE {OF_MODEL}) AS m
                ON m.paragraph_id = p.paragraph_id
            GROUP BY video_id
        )
        WHERE paragraphs != length OR paragraphs != clustered
           OR judged != paragraphs AND (SELECT count() FROM memberships WHERE {OF_MODEL}) > 0
        """,
        model=shown_model(warehouse),
    )
    return {row["video_id"] for row in rows}


def unfinished(
    warehouse: Warehouse, last: datetime | str | None = None, limit: int = 1000
) -> list[UnfinishedVideo]:
    """Return talks that are on their way, the first seen first.

    Left out are videos that wait until they are tried again or reviewed, and those with a dead letter.

    Args:
        warehouse: the study.
        last: only videos that a source showed first before this time (as text: ISO 8601); None: all.
        limit: the most videos to return.
    """
    rows = warehouse.rows(
        """
        SELECT p.video_id AS video_id, v.title AS title, p.state AS state, s.seen_at AS seen_at
        FROM (SELECT video_id, state FROM progress FINAL) AS p
        INNER JOIN (SELECT video_id, min(first_seen_at) AS seen_at FROM sightings GROUP BY video_id) AS s
            ON s.video_id = p.video_id
        LEFT JOIN (SELECT video_id, title FROM videos FINAL) AS v ON v.video_id = p.video_id
        LEFT JOIN (SELECT video_id, state FROM parkings FINAL) AS w ON w.video_id = p.video_id
        WHERE p.state NOT IN ('assigned', 'rejected')
          AND NOT (w.state != '' AND (p.state = 'seen' OR p.state = 'accepted' AND w.state != 'in review'))
          AND p.video_id NOT IN (
              SELECT assumeNotNull(video_id) FROM dead_letters FINAL
              WHERE video_id IS NOT NULL
                AND letter_id NOT IN (SELECT letter_id FROM settlements FINAL WHERE action = 'replayed')
          )
          AND ({last:Nullable(DateTime64(3, 'UTC'))} IS NULL
               OR s.seen_at < {last:Nullable(DateTime64(3, 'UTC'))})
        ORDER BY s.seen_at, p.video_id LIMIT {limit:UInt32}
        """,
        last=None if last is None else storable(last),
        limit=limit,
    )
    return typed(
        UnfinishedVideo,
        [
            {
                "video_id": row["video_id"],
                "title": row["title"],
                "state": row["state"],
                "waits_for": NEXT[row["state"]],
                "seen_at": row["seen_at"],
            }
            for row in rows
        ],
    )


def step_facts(warehouse: Warehouse) -> set[StepFact]:
    """Return the topic model's outputs that the database has, of every model version."""
    about = {table: "video_id" if table == "learned" else "topic_id" for table in STEPS}
    selects = [
        f"SELECT '{table}' AS of, model_version, toString({about[table]}) AS about, "
        f"toUInt64({number}) AS number FROM {table} FINAL"
        for table, number in STEPS.items()
    ] + [
        f"SELECT '{table}' AS of, model_version, '' AS about, toUInt64({number}) AS number FROM {table} FINAL"
        for table, number in OF_THE_MODEL.items()
    ]
    rows = warehouse.rows(" UNION ALL ".join(selects))
    return {StepFact(row["of"], row["model_version"], row["about"], row["number"]) for row in rows}
