"""Queries of the review queue, and of the verdicts on videos whose review is finished.

Reviewers judge blind to each other: no view shows a verdict on a video before enough reviewers judged it.
"""

from __future__ import annotations

from streams.store.rows.screening import Review, ReviewQueue, Waiting
from streams.store.warehouse import Warehouse

_SAID = """
    (SELECT * FROM reviews FINAL WHERE verdict != 'undone')
"""
_WAITING = f"""
    SELECT k.video_id AS video_id, v.title AS title, v.description AS description, v.channel AS channel,
           v.show AS show, v.url AS url, v.language AS language, v.duration_s AS duration_s,
           v.published_at AS published_at, k.reason AS reason, k.parked_at AS parked_at,
           r.model AS model, if(r.model = '', NULL, r.score) AS score, r.talk_kind AS talk_kind,
           r.reasons AS reasons, s.reviewers AS reviewers
    FROM (SELECT * FROM parkings FINAL WHERE state = 'in review') AS k
    INNER JOIN (SELECT video_id FROM progress FINAL WHERE state = 'seen') AS p ON p.video_id = k.video_id
    LEFT JOIN (SELECT * FROM videos FINAL) AS v ON v.video_id = k.video_id
    LEFT JOIN (SELECT * FROM relevances FINAL) AS r ON r.video_id = k.video_id
    LEFT JOIN (
        SELECT video_id, countIf(NOT final) AS reviewers FROM {_SAID} GROUP BY video_id
    ) AS s ON s.video_id = k.video_id
"""


def review_queue(warehouse: Warehouse, limit: int = 100, offset: int = 0) -> ReviewQueue:
    """Return the talks that wait for reviewers, the most relevant first."""
    videos = warehouse.rows(f"SELECT count() AS videos FROM ({_WAITING})")
    rows = warehouse.rows_as(
        Waiting,
        f"""
        SELECT * FROM ({_WAITING}) ORDER BY score DESC NULLS LAST, parked_at, video_id
        LIMIT {{limit:UInt32}} OFFSET {{offset:UInt64}}
        """,
        limit=limit,
        offset=offset,
    )
    return {"videos": videos[0]["videos"], "rows": [{**row, "reasons": list(row["reasons"])} for row in rows]}


def reviews(warehouse: Warehouse) -> list[Review]:
    """Return verdicts on talks that were adjudicated or that enough reviewers judged, by talk and time."""
    rows = warehouse.rows_as(
        Review,
        f"""
        SELECT r.video_id AS video_id, v.title AS title, reviewer, verdict, talk_kind, note, final,
               reviewed_at
        FROM {_SAID} AS r
        LEFT JOIN (SELECT video_id, title FROM videos FINAL) AS v ON v.video_id = r.video_id
        WHERE r.video_id IN (
            SELECT video_id FROM {_SAID}
            GROUP BY video_id HAVING max(final) OR countIf(NOT final) >= {{reviewers:UInt32}}
        )
        ORDER BY video_id, reviewed_at, reviewer, final
        """,
        reviewers=warehouse.settings.reviewers,
    )
    return [{**row, "final": bool(row["final"])} for row in rows]
