"""Queries of videos that sources have shown before."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date, datetime

from streams.store.rows.operations import FollowedVideo, KnownVideo
from streams.store.warehouse import Warehouse, strings


def shown_by(warehouse: Warehouse, source_id: str) -> dict[str, dict[str, datetime]]:
    """Return by video when each lane of a source showed it first; '': before lanes were recorded."""
    rows = warehouse.rows(
        """
        SELECT video_id, lane, min(first_seen_at) AS seen_at FROM sightings
        WHERE source_id = {id:String} GROUP BY video_id, lane
        """,
        id=source_id,
    )
    found: dict[str, dict[str, datetime]] = {}
    for row in rows:
        found.setdefault(row["video_id"], {})[row["lane"]] = row["seen_at"]
    return found


def too_old(warehouse: Warehouse, since: date | None) -> set[str]:
    """Return videos that were rejected for their age alone, published from `since` on (None: at any time)."""
    rows = warehouse.rows(
        """
        SELECT video_id FROM videos FINAL
        WHERE toDate(published_at, 'UTC') >= {since:Date32} AND video_id IN (
            SELECT video_id FROM screenings FINAL WHERE verdict = 'rejected' AND rule = 'too old'
        )
        """,
        since=since or date(1970, 1, 1),
    )
    return {row["video_id"] for row in rows}


def known(warehouse: Warehouse, video_ids: Iterable[str]) -> dict[str, KnownVideo]:
    """Return the stored metadata of videos, by video; those that are not stored are left out."""
    rows = warehouse.rows_as(
        KnownVideo,
        f"""
        SELECT v.video_id AS video_id, v.title AS title, v.description AS description, v.channel AS channel,
               v.channel_id AS channel_id, v.show AS show, v.url AS url, v.published_at AS published_at,
               v.duration_s AS duration_s, v.language AS language, v.speakers AS speakers,
               v.completeness IN (2, 4) AS accepted, h.video_id != '' AS handed_in, f.titles AS titles
        FROM (SELECT * FROM videos FINAL WHERE video_id IN {strings("ids")}) AS v
        LEFT JOIN (
            SELECT DISTINCT video_id FROM sightings
            WHERE kind IN ('file', 'link', 'folder') AND video_id IN {strings("ids")}
        ) AS h ON h.video_id = v.video_id
        LEFT JOIN (
            SELECT video_id, groupUniqArrayArray([was, title]) AS titles FROM followed
            WHERE video_id IN {strings("ids")} GROUP BY video_id
        ) AS f ON f.video_id = v.video_id
        """,
        ids=json.dumps(sorted(set(video_ids))),
    )
    return {row["video_id"]: row for row in rows}


def followable(warehouse: Warehouse) -> list[FollowedVideo]:
    """Return the talks of YouTube that were learned and count, with the last change of each."""
    learned = warehouse.rows(
        """
        SELECT p.video_id AS video_id, f.latest AS change
        FROM (SELECT video_id FROM progress FINAL WHERE state = 'assigned') AS p
        LEFT JOIN (
            SELECT video_id, argMax(change, seen_at) AS latest FROM followed
            WHERE change IN ('deleted', 'private', 'returned') GROUP BY video_id
        ) AS f ON f.video_id = p.video_id
        WHERE p.video_id IN (
            SELECT video_id FROM sightings WHERE kind IN ('channel', 'playlist', 'search', 'link')
        )
        """
    )
    changes = {row["video_id"]: row["change"] for row in learned}
    return [{**row, "change": changes[each]} for each, row in sorted(known(warehouse, changes).items())]
