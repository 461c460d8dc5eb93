"""The review queue, and the verdicts on videos that reviewers are through with.

Reviewers judge blind to each other, so that no view says what one of them thinks of a video before as many
judged it as have to.
"""

from __future__ import annotations

from streams.store.warehouse import Row, Warehouse

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


def review_queue(warehouse: Warehouse, limit: int = 100, offset: int = 0) -> Row:
    """Videos that wait for reviewers, the most relevant first.

    Returns:
        {videos, rows}. videos: how many there are without limit and offset. rows: {video_id, title,
        description, channel, show, url, language, duration_s, published_at, reason, parked_at, model, score,
        talk_kind, reasons, reviewers}. reason: why it waits; score: estimated probability that reviewers keep
        it, in [0, 1], or None where no model scored it; talk_kind: the likeliest; reasons: what speaks for
        the score, strongest first; model: what it learned from; reviewers: how many have judged it.
    """
    videos = warehouse.rows(f"SELECT count() AS videos FROM ({_WAITING})")
    rows = warehouse.rows(
        f"""
        SELECT * FROM ({_WAITING}) ORDER BY score DESC NULLS LAST, parked_at, video_id
        LIMIT {{limit:UInt32}} OFFSET {{offset:UInt64}}
        """,
        limit=limit,
        offset=offset,
    )
    return {"videos": videos[0]["videos"], "rows": [row | {"reasons": list(row["reasons"])} for row in rows]}


def reviews(warehouse: Warehouse) -> list[Row]:
    """What reviewers said, by video and moment: of videos that were adjudicated or that enough have judged.

    Returns:
        Rows {video_id, title, reviewer, verdict, talk_kind, note, final, reviewed_at}. verdict: keep or
        exclude; talk_kind: what the talk is, the reason where it is excluded; final: an adjudication.
    """
    rows = warehouse.rows(
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
    return [row | {"final": bool(row["final"])} for row in rows]
