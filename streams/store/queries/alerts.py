"""Queries of alerts and emergences with their evidence, and of what was kept out of the model."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from streams.store.codebook.sql_fragments import ALIASES, MODEL, SOURCE
from streams.store.warehouse import Row, Warehouse, strings

EVIDENCE = (
    "terms, channel, sources, recent, recent_of, earlier, earlier_of, log10_p, first_on, latest_on, quotes"
)
TOPIC = "if(aliases.target = 0, told.topic_id, aliases.target) AS topic_id"
"""Of what is told of a topic that was merged since, the one it ended up in."""
_QUOTE = ("paragraph_id", "video_id", "source", "published_on", "start_s", "text")
"""The parts of a quote, in the order of the tables' tuple."""


def alerts(warehouse: Warehouse, limit: int = 20) -> list[Row]:
    """The newest alerts of what is new, with their evidence; those of other rules are in `alerts_raised`.

    Returns:
        Rows {alert_id, rule, topic_id, title, reason, raised_at, video_ids, terms, channel, sources, recent,
        recent_of, earlier, earlier_of, log10_p, first_on, latest_on, quotes, talks}. quotes: {paragraph_id,
        video_id, source, published_on, start_s, text, title, show, url, published_at}; talks: the first and
        the latest of `video_ids`, {video_id, title, show, url, published_at}. Without evidence, channel is
        empty.
    """
    rows = warehouse.rows(
        f"""
        SELECT alert_id, rule, {TOPIC}, title, reason, raised_at, video_ids, {EVIDENCE}
        FROM (
            SELECT * FROM alerts FINAL WHERE model_version = {MODEL} AND rule IN ('new topic', 'emergence')
        ) AS told
        LEFT JOIN {ALIASES} AS aliases ON aliases.topic_id = told.topic_id
        ORDER BY raised_at DESC, alert_id LIMIT {{limit:UInt32}}
        """,
        limit=limit,
    )
    return with_talks(warehouse, rows)


def emergences(warehouse: Warehouse, limit: int = 20) -> list[Row]:
    """Subjects that talks have begun to speak of, the newest first, with their evidence.

    Returns:
        Rows {emergence_id, subject, topic_id, reason, emerged_at, video_ids, …}; the rest as in `alerts`.
    """
    rows = warehouse.rows(
        f"""
        SELECT emergence_id, subject, {TOPIC}, reason, emerged_at, video_ids, {EVIDENCE}
        FROM (SELECT * FROM emergences FINAL WHERE model_version = {MODEL}) AS told
        LEFT JOIN {ALIASES} AS aliases ON aliases.topic_id = told.topic_id
        ORDER BY sequence DESC, subject LIMIT {{limit:UInt32}}
        """,
        limit=limit,
    )
    return with_talks(warehouse, rows)


def with_talks(warehouse: Warehouse, rows: Sequence[Row]) -> list[Row]:
    """Say of quotes and of the first and latest talks what they are called and where they can be heard."""
    quotes = [[dict(zip(_QUOTE, quote, strict=True)) for quote in _tuples(row["quotes"])] for row in rows]
    ends = [list(dict.fromkeys([*row["video_ids"][:1], *row["video_ids"][-1:]])) for row in rows]
    wanted = {quote["video_id"] for each in quotes for quote in each} | {each for end in ends for each in end}
    videos = {
        row["video_id"]: row
        for row in warehouse.rows(
            f"""
            SELECT video_id, title, show, url, published_at FROM videos FINAL
            WHERE video_id IN {strings("ids")}
            """,
            ids=json.dumps(sorted(wanted)),
        )
    }
    unknown = {"title": "", "show": "", "url": "", "published_at": None}
    return [
        row
        | {
            "quotes": [
                quote | {name: videos.get(quote["video_id"], unknown)[name] for name in unknown}
                for quote in quoted
            ],
            "talks": [videos[video_id] for video_id in end if video_id in videos],
        }
        for row, quoted, end in zip(rows, quotes, ends, strict=True)
    ]


def _tuples(quotes: Iterable[object]) -> Iterable[tuple[object, ...]]:
    """Named tuples come as dicts from one client, as tuples from another."""
    for quote in quotes:
        yield tuple(quote.values()) if isinstance(quote, dict) else tuple(quote)  # type: ignore[arg-type]


def boilerplate(warehouse: Warehouse, limit: int = 3) -> list[Row]:
    """What each source says again and again, and was kept out of the model; most of it first.

    Args:
        warehouse: the study.
        limit: at most so many examples of a source, the newest first.

    Returns:
        Rows {source, name, videos, paragraphs, boilerplate, share, examples}, for sources that have any;
        share = boilerplate / paragraphs. examples: {video_id, title, show, url, published_at, start_s, text}.
    """
    assigned = f"""
        SELECT video_id, paragraph_id, boilerplate FROM assignments FINAL WHERE model_version = {MODEL}
    """
    rows = warehouse.rows(
        f"""
        SELECT source, any(if(channel != '', channel, if(show != '', show, title))) AS name,
               uniqExact(video_id) AS videos, count() AS paragraphs, countIf(boilerplate = 1) AS boilerplate,
               boilerplate / paragraphs AS share
        FROM ({assigned}) AS a
        INNER JOIN (SELECT *, {SOURCE} AS source FROM videos FINAL) AS v USING (video_id)
        GROUP BY source HAVING boilerplate > 0 ORDER BY boilerplate DESC, source
        """
    )
    examples = warehouse.rows(
        f"""
        SELECT v.source AS source, a.video_id AS video_id, v.title AS title, v.show AS show, v.url AS url,
               v.published_at AS published_at, p.start_s AS start_s, p.text AS text
        FROM (SELECT * FROM ({assigned}) WHERE boilerplate = 1) AS a
        INNER JOIN (SELECT paragraph_id, start_s, text FROM paragraphs FINAL) AS p USING (paragraph_id)
        INNER JOIN (SELECT *, {SOURCE} AS source FROM videos FINAL) AS v ON v.video_id = a.video_id
        ORDER BY published_at DESC, video_id, start_s
        LIMIT {{limit:UInt32}} BY source
        """,
        limit=limit,
    )
    return [
        row
        | {
            "examples": [
                {name: value for name, value in example.items() if name != "source"}
                for example in examples
                if example["source"] == row["source"]
            ]
        }
        for row in rows
    ]
