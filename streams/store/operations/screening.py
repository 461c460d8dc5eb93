"""Queries of screening: the queue, and a summary of why videos were rejected."""

from __future__ import annotations

import json
from typing import Any

from streams.errors import DataError
from streams.store.codebook.sql_fragments import corrected
from streams.store.queries.corpus import corpus
from streams.store.rows.screening import Queue, Screened, ScreeningSummary
from streams.store.rows.talks import Sighting
from streams.store.warehouse import Warehouse, strings, typed

VERDICTS = ("accepted", "rejected", "waiting")
"""The verdicts that can be asked for; waiting: seen, and not judged yet."""

_JUDGED = f"""
    SELECT p.video_id AS video_id, v.title AS title, v.channel AS channel, v.show AS show, v.url AS url,
           v.language AS language, v.duration_s AS duration_s,
           coalesce(c.published_at, v.published_at) AS published_at, p.state AS state,
           multiIf(p.state = 'assigned', 'accepted', s.verdict = '', 'waiting', s.verdict) AS verdict,
           if(p.state = 'assigned', '', s.rule) AS rule, if(p.state = 'assigned', '', s.reason) AS reason,
           c.withdrawn = 1 AS withdrawn, seen.seen_at AS seen_at
    FROM (SELECT video_id, state FROM progress FINAL) AS p
    LEFT JOIN (SELECT * FROM videos FINAL) AS v ON v.video_id = p.video_id
    LEFT JOIN (SELECT video_id, verdict, rule, reason FROM screenings FINAL) AS s ON s.video_id = p.video_id
    LEFT JOIN {corrected()} AS c ON c.video_id = p.video_id
    LEFT JOIN (
        SELECT video_id, min(first_seen_at) AS seen_at FROM sightings GROUP BY video_id
    ) AS seen ON seen.video_id = p.video_id
"""
_WANTED = """
    ({verdict:String} = '' OR verdict = {verdict:String})
    AND ({rule:String} = '' OR rule = {rule:String})
    AND ({search:String} = '' OR positionCaseInsensitiveUTF8(
        concat(title, '\\n', show, '\\n', channel, '\\n', video_id), {search:String}) > 0)
"""


def queue(
    warehouse: Warehouse,
    limit: int = 100,
    offset: int = 0,
    *,
    verdict: str = "",
    rule: str = "",
    search: str = "",
) -> Queue:
    """Return talks with the verdict of screening, those that were seen last first.

    Args:
        warehouse: the study.
        limit: the most videos to return.
        offset: the videos to leave out before them.
        verdict: only accepted, rejected or waiting ones (waiting: not judged yet); empty: all.
        rule: only those that this rule rejected; empty: all.
        search: only those with this text in title, show, channel or id, in either case.

    Raises:
        DataError: the verdict is none of the three.
    """
    if verdict and verdict not in VERDICTS:
        raise DataError(
            f"{verdict[:40]!r} is not a verdict of screening",
            f"ask for one of {', '.join(VERDICTS)}, or leave it out for all",
        )
    asked: dict[str, Any] = {"verdict": verdict, "rule": rule, "search": search}
    videos = warehouse.rows(f"SELECT count() AS videos FROM ({_JUDGED}) WHERE {_WANTED}", **asked)
    rows = warehouse.rows(
        f"""
        SELECT * FROM ({_JUDGED}) WHERE {_WANTED}
        ORDER BY seen_at DESC, video_id LIMIT {{limit:UInt32}} OFFSET {{offset:UInt64}}
        """,
        **asked,
        limit=limit,
        offset=offset,
    )
    sightings = _sightings(warehouse, [row["video_id"] for row in rows])
    return {
        "videos": videos[0]["videos"],
        "rows": typed(
            Screened,
            [
                row | {"withdrawn": bool(row["withdrawn"]), "sightings": sightings.get(row["video_id"], [])}
                for row in rows
            ],
        ),
    }


def _sightings(warehouse: Warehouse, video_ids: list[str]) -> dict[str, list[Sighting]]:
    rows = warehouse.rows(
        f"""
        SELECT video_id, source_id, kind, query, rank, first_seen_at FROM sightings FINAL
        WHERE video_id IN {strings("ids")} ORDER BY first_seen_at, source_id, query
        """,
        ids=json.dumps(video_ids),
    )
    by_video: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_video.setdefault(row.pop("video_id"), []).append(row)
    return {video_id: typed(Sighting, seen) for video_id, seen in by_video.items()}


def summary(warehouse: Warehouse) -> ScreeningSummary:
    """Return the counts of found and kept talks, and of the others by the rule that rejected them."""
    found = corpus(warehouse)
    rejections = found["rejections"]
    rejected = sum(rejections.values())
    unscreened = warehouse.rows("SELECT count() AS videos FROM progress FINAL WHERE state = 'seen'")
    reasons = warehouse.rows(
        """
        SELECT rule, argMin(reason, video_id) AS reason FROM screenings FINAL
        WHERE verdict = 'rejected'
          AND video_id IN (SELECT video_id FROM progress FINAL WHERE state = 'rejected')
        GROUP BY rule
        """
    )
    said = {row["rule"]: row["reason"] for row in reasons}
    return {
        "found": found["found"],
        "kept": found["kept"],
        "withdrawn": found["withdrawn"],
        "waiting": found["waiting"],
        "paragraphs": found["paragraphs"],
        "hours": found["hours"],
        "mean_minutes": found["mean_minutes"],
        "first": found["first"],
        "last": found["last"],
        "unscreened": unscreened[0]["videos"],
        "rejected": rejected,
        "rules": [
            {"rule": rule, "videos": videos, "share": videos / rejected, "reason": said.get(rule, "")}
            for rule, videos in sorted(rejections.items(), key=lambda each: (-each[1], each[0]))
        ],
    }
