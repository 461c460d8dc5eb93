"""Query of the places in the talks at which clusters are: at the ends, or in between."""

from __future__ import annotations

from streams.store.codebook.effective import book
from streams.store.rows.topics import TopicPlaces
from streams.store.warehouse import Warehouse


def topic_places(warehouse: Warehouse, *, end: float, short: int) -> list[TopicPlaces]:
    """Return how often each cluster that counts is at the ends of its talks, with those merged into it.

    Args:
        warehouse: the study.
        end: share of a talk's paragraphs at either end of it.
        short: talks with fewer paragraphs than this are left out.
    """
    applied = book(warehouse)
    counted = {topic_id: entry.topic_id for topic_id, entry in applied.counted.items()}
    given = {"model": applied.model_version, "short": short}
    rows = warehouse.rows(
        f"""
        WITH talks AS ({_TALKS})
        SELECT transform(a.topic_id, {{topics:Array(UInt32)}}, {{targets:Array(UInt32)}}, toUInt32(0))
                   AS topic_id,
               count() AS paragraphs,
               countIf(least(toInt64(p.position), toInt64(t.paragraphs) - 1 - toInt64(p.position))
                       < {{end:Float64}} * t.paragraphs) AS at_ends,
               uniqExact(p.video_id) AS talks, arraySort(groupUniqArray(t.source)) AS sources,
               min(t.published_on) AS first
        FROM (
            SELECT paragraph_id, topic_id FROM assignments FINAL
            WHERE model_version = {{model:String}} AND has({{topics:Array(UInt32)}}, topic_id)
        ) AS a
        INNER JOIN (SELECT * FROM paragraphs FINAL) AS p ON p.paragraph_id = a.paragraph_id
        INNER JOIN talks AS t ON t.video_id = p.video_id AND t.transcript_version = p.transcript_version
        GROUP BY topic_id ORDER BY topic_id
        """,
        **given,
        end=end,
        topics=list(counted),
        targets=list(counted.values()),
    )
    days = warehouse.rows(
        f"SELECT source, published_on, count() AS talks FROM ({_TALKS}) GROUP BY source, published_on",
        **given,
    )
    return [
        {
            "topic_id": row["topic_id"],
            "name": applied.name_of(row["topic_id"]),
            "paragraphs": row["paragraphs"],
            "at_ends": row["at_ends"],
            "talks": row["talks"],
            "of_talks": sum(
                day["talks"]
                for day in days
                if day["source"] in row["sources"] and day["published_on"] >= row["first"]
            ),
            "sources": len(row["sources"]),
        }
        for row in rows
    ]


_TALKS = """
    SELECT v.video_id AS video_id, v.transcript_version AS transcript_version, v.source AS source,
           v.published_on AS published_on, n.paragraphs AS paragraphs
    FROM (
        SELECT video_id, transcript_version, source, published_on FROM video_topics FINAL
        WHERE model_version = {model:String} AND withdrawn = 0
    ) AS v
    INNER JOIN (
        SELECT video_id, transcript_version, count() AS paragraphs FROM paragraphs FINAL
        GROUP BY video_id, transcript_version HAVING paragraphs >= {short:UInt32}
    ) AS n ON n.video_id = v.video_id AND n.transcript_version = v.transcript_version
"""
