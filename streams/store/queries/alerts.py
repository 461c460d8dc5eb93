"""Queries of alerts and emergences with their evidence, and of paragraphs kept out of the model."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from streams.store.codebook.effective import merged_topics, shown_model
from streams.store.codebook.sql_fragments import SOURCE
from streams.store.rows.alerts import Alert, Boilerplate, BoilerplateExample, Emergence
from streams.store.warehouse import Warehouse, strings, typed

EVIDENCE = (
    "terms, channel, sources, recent, recent_of, earlier, earlier_of, log10_p, first_on, latest_on, quotes"
)
_QUOTE = ("paragraph_id", "video_id", "source", "published_on", "start_s", "text")
"""The fields of a quote, in the order of the tables' tuple."""


def alerts(warehouse: Warehouse, limit: int = 20) -> list[Alert]:
    """Return the newest alerts about new topics and emergences; `alerts_raised` has those of other rules."""
    model = shown_model(warehouse)
    rows = warehouse.rows(
        f"""
        SELECT alert_id, rule, topic_id, title, reason, raised_at, video_ids, {EVIDENCE} FROM alerts FINAL
        WHERE model_version = {{model:String}} AND rule IN ('new topic', 'emergence')
        ORDER BY raised_at DESC, alert_id LIMIT {{limit:UInt32}}
        """,
        model=model,
        limit=limit,
    )
    return typed(Alert, with_talks(warehouse, as_merged(warehouse, model, rows)))


def emergences(warehouse: Warehouse, limit: int = 20) -> list[Emergence]:
    """Return subjects that talks have begun to be about, the newest first, with their evidence."""
    model = shown_model(warehouse)
    rows = warehouse.rows(
        f"""
        SELECT emergence_id, subject, topic_id, reason, emerged_at, only_on, replaces, video_ids, {EVIDENCE}
        FROM emergences FINAL WHERE model_version = {{model:String}}
        ORDER BY sequence DESC, subject LIMIT {{limit:UInt32}}
        """,
        model=model,
        limit=limit,
    )
    return typed(Emergence, with_talks(warehouse, as_merged(warehouse, model, rows)))


def as_merged(warehouse: Warehouse, model: str, rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows {topic_id, …} of a model with the topics that theirs were merged into since."""
    merged = merged_topics(warehouse, model)
    return [row | {"topic_id": merged.get(row["topic_id"], row["topic_id"])} for row in rows]


def with_talks(warehouse: Warehouse, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows {quotes, video_ids, …} as `Evidence` has them: with the talks of the quotes and videos."""
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
    """Yield tuples; a client of ClickHouse returns named tuples as dicts or as tuples."""
    for quote in quotes:
        yield tuple(quote.values()) if isinstance(quote, dict) else tuple(quote)  # type: ignore[arg-type]


def boilerplate(warehouse: Warehouse, limit: int = 3) -> list[Boilerplate]:
    """Return the sources that repeat paragraphs from talk to talk, with most such boilerplate first.

    Boilerplate is kept out of the model.

    Args:
        warehouse: the study.
        limit: the most examples of a source, the newest first.
    """
    model = shown_model(warehouse)
    assigned = """
        SELECT video_id, paragraph_id, boilerplate FROM assignments FINAL WHERE model_version = {model:String}
    """
    rows = warehouse.rows(
        f"""
        SELECT source, any(if(channel != '', channel, if(show != '', show, title))) AS name,
               uniqExact(video_id) AS videos, count() AS paragraphs, countIf(boilerplate = 1) AS boilerplate,
               boilerplate / paragraphs AS share
        FROM ({assigned}) AS a
        INNER JOIN (SELECT *, {SOURCE} AS source FROM videos FINAL) AS v USING (video_id)
        GROUP BY source HAVING boilerplate > 0 ORDER BY boilerplate DESC, source
        """,
        model=model,
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
        model=model,
        limit=limit,
    )
    by_source: dict[str, list[dict[str, Any]]] = {}
    for example in examples:
        by_source.setdefault(example.pop("source"), []).append(example)
    return typed(
        Boilerplate,
        [row | {"examples": typed(BoilerplateExample, by_source.get(row["source"], []))} for row in rows],
    )
