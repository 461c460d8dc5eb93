"""Queries of parked videos: those that wait for a moment, for YouTube, or for people."""

from __future__ import annotations

from datetime import datetime

from streams.store.rows.operations import Parked
from streams.store.warehouse import Warehouse


def parked(warehouse: Warehouse, state: str = "", limit: int = 1000) -> list[Parked]:
    """Return talks that wait, in the order in which they are tried again.

    Args:
        warehouse: the study.
        state: only videos in this state; empty: all.
        limit: the most videos to return.
    """
    return warehouse.rows_as(
        Parked,
        """
        SELECT w.video_id AS video_id, v.title AS title, v.channel AS channel, v.url AS url, w.state AS state,
               w.reason AS reason, w.until AS until, w.attempt AS attempt, w.parked_at AS parked_at
        FROM (SELECT * FROM parkings FINAL) AS w
        LEFT JOIN (SELECT * FROM videos FINAL) AS v ON v.video_id = w.video_id
        LEFT JOIN (SELECT video_id, verdict FROM screenings FINAL) AS s ON s.video_id = w.video_id
        INNER JOIN (SELECT video_id, state FROM progress FINAL) AS p ON p.video_id = w.video_id
        WHERE ({state:String} = '' OR w.state = {state:String})
          AND (p.state = 'seen' AND s.verdict = '' OR p.state = 'accepted' AND w.state != 'in review')
        ORDER BY w.until IS NULL, w.until, w.video_id LIMIT {limit:UInt32}
        """,
        state=state,
        limit=limit,
    )


def parked_at(warehouse: Warehouse) -> dict[str, datetime]:
    """Return when videos were parked last, by their id."""
    rows = warehouse.rows("SELECT video_id, parked_at FROM parkings FINAL")
    return {row["video_id"]: row["parked_at"] for row in rows}
