"""Videos that wait: for a moment, for YouTube, or for people."""

from __future__ import annotations

from datetime import datetime

from streams.store.warehouse import Row, Warehouse


def parked(warehouse: Warehouse, state: str = "", limit: int = 1000) -> list[Row]:
    """Videos that wait, the one that is looked at again first before the others.

    Args:
        warehouse: the study.
        state: only those that wait for this; empty: all.
        limit: at most so many.

    Returns:
        Rows {video_id, title, channel, url, state, reason, until, attempt, parked_at}. state: upcoming, live,
        just ended, sign-in, recheck, paused or in review. until: when it is looked at again; None: when
        somebody asks for it, or has reviewed it.
    """
    return warehouse.rows(
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
    """Return since when videos wait, or waited last, by their id."""
    rows = warehouse.rows("SELECT video_id, parked_at FROM parkings FINAL")
    return {row["video_id"]: row["parked_at"] for row in rows}
