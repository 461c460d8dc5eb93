"""Queries of the list of all videos, searched, filtered, sorted and in pages, and of the newest talks."""

from __future__ import annotations

from typing import Literal

from streams.store.codebook.effective import book, shown_model
from streams.store.codebook.sql_fragments import SOURCE, corrected
from streams.store.queries.aggregation import talks
from streams.store.queries.selection import EVERYTHING, Selection
from streams.store.rows.talks import Listing, NewTalk
from streams.store.warehouse import Warehouse

Order = Literal["published", "title", "show", "length", "paragraphs", "topics"]
ORDERS: dict[Order, str] = {
    "published": "day",
    "title": "lowerUTF8(title)",
    "show": "lowerUTF8(show)",
    "length": "seconds",
    "paragraphs": "paragraphs",
    "topics": "topics",
}
"""The columns that videos can be sorted by, as SQL."""


def newest_talks(warehouse: Warehouse, selection: Selection = EVERYTHING, limit: int = 6) -> list[NewTalk]:
    """Return the newest learned talks of a selection, without those that were withdrawn."""
    return warehouse.rows_as(
        NewTalk,
        f"""
        WITH newest AS (
            SELECT video_id, show, published_on {talks(selection)}
            ORDER BY published_on DESC, video_id LIMIT {{limit:UInt32}}
        )
        SELECT n.video_id AS video_id, v.title AS title, n.show AS show, n.published_on AS published_on
        FROM newest AS n
        LEFT JOIN (
            SELECT video_id, title FROM videos FINAL WHERE video_id IN (SELECT video_id FROM newest)
        ) AS v ON v.video_id = n.video_id
        ORDER BY published_on DESC, video_id
        """,
        **selection.parameters,
        model=shown_model(warehouse),
        limit=limit,
    )


def listing(  # noqa: PLR0917 - the parameters of a query, each by name
    warehouse: Warehouse,
    selection: Selection = EVERYTHING,
    search: str = "",
    state: str = "",
    rule: str = "",
    order: Order = "published",
    ascending: bool = False,
    limit: int = 50,
    offset: int = 0,
) -> Listing:
    """Return the talks of a selection, withdrawn and rejected ones included.

    A video without a date is in no period, and comes last when the videos are sorted by date.

    Args:
        warehouse: the study.
        selection: the videos; their days of publication are those as corrected.
        search: only those with this text in title, show, channel or id, in either case.
        state: only those in this state (`video_progress.STATES`), or withdrawn; kept: learned, and neither
            rejected nor withdrawn; counted: of these, those with a topic that counts; empty: all.
        rule: only those that this rule of screening rejected; empty: all.
        order: the column to sort by.
        ascending: the smallest first.
        limit: the most videos to return.
        offset: the videos to leave out before them.
    """
    known = f"""
        SELECT p.video_id AS video_id, p.state AS state, v.title AS title, t.video_id != '' AS learned,
               t.withdrawn = 1 OR c.withdrawn = 1 AS taken_out, s.rule AS rule, s.reason AS reason,
               if(learned, t.published_on, toDate(coalesce(c.published_at, v.published_at))) AS day,
               ifNull(day, toDate(0)) AS published_on,
               if(r.video_id != '', r.duration_s, v.duration_s) AS seconds,
               if(t.paragraphs > 0, t.paragraphs, arraySum(t.topics.paragraphs)) AS paragraphs,
               length(t.topics.id) AS topics, t.topics.id AS ids,
               if(learned, t.source, v.source) AS source, if(learned, t.channel, v.channel) AS channel,
               if(learned, t.show, v.show) AS show,
               if(learned, t.language, coalesce(v.language, '')) AS language,
               if(learned, t.speakers, v.speakers) AS speakers, toUInt8(0) AS withdrawn
        FROM (SELECT video_id, state FROM progress FINAL) AS p
        LEFT JOIN (SELECT *, {SOURCE} AS source FROM videos FINAL) AS v ON v.video_id = p.video_id
        LEFT JOIN (SELECT video_id, rule, reason FROM screenings FINAL) AS s ON s.video_id = p.video_id
        LEFT JOIN (SELECT * FROM video_topics FINAL WHERE model_version = {{model:String}}) AS t
            ON t.video_id = p.video_id
        LEFT JOIN (SELECT video_id, transcript_version, duration_s FROM transcripts FINAL) AS r
            ON r.video_id = t.video_id AND r.transcript_version = t.transcript_version
        LEFT JOIN {corrected()} AS c ON c.video_id = p.video_id
    """
    wanted = f"""
        FROM ({known}) WHERE (day IS NOT NULL OR {{open:Bool}}) AND {selection.where}
        AND multiIf({{state:String}} = '', 1, {{state:String}} = 'withdrawn', taken_out,
                    {{state:String}} IN ('kept', 'counted'), state != 'rejected' AND learned AND NOT taken_out
                        AND ({{state:String}} = 'kept' OR hasAny(ids, {{retained:Array(UInt32)}})),
                    state = {{state:String}})
        AND ({{rule:String}} = '' OR (state = 'rejected' AND rule = {{rule:String}}))
        AND ({{search:String}} = '' OR positionCaseInsensitiveUTF8(
            concat(title, '\\n', show, '\\n', channel, '\\n', video_id), {{search:String}}) > 0)
    """
    asked = selection.parameters | {
        "model": shown_model(warehouse),
        "search": search,
        "state": state,
        "rule": rule,
        "retained": sorted(book(warehouse, selection.codebook).counted) if state == "counted" else [],
        "open": selection.first is None and selection.last is None,
    }
    direction = "ASC" if ascending else "DESC"
    rows = warehouse.rows(
        f"""
        SELECT video_id, title, show, channel, day, seconds AS duration_s, state,
               if(state = 'rejected', rule, '') AS why, reason, taken_out, paragraphs, topics,
               count() OVER () AS found
        {wanted} ORDER BY {ORDERS[order]} {direction} NULLS LAST, video_id
        LIMIT {{limit:UInt32}} OFFSET {{offset:UInt64}}
        """,
        **asked,
        limit=limit,
        offset=offset,
    )
    found = rows[0]["found"] if rows else 0
    if not rows:  # none, or the page is beyond the last
        found = warehouse.rows(f"SELECT count() AS found {wanted}", **asked)[0]["found"]
    return {
        "videos": found,
        "rows": [
            {
                "video_id": row["video_id"],
                "title": row["title"],
                "show": row["show"],
                "channel": row["channel"],
                "published_on": row["day"],
                "duration_s": row["duration_s"],
                "state": row["state"],
                "rule": row["why"],
                "reason": row["reason"] if row["why"] else "",
                "withdrawn": bool(row["taken_out"]),
                "paragraphs": row["paragraphs"],
                "topics": row["topics"],
            }
            for row in rows
        ],
    }
