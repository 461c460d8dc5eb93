"""Facets of a selection: shows, channels, sources, speakers and languages of the talks."""

from __future__ import annotations

from streams.store.codebook.sql_fragments import MODEL
from streams.store.warehouse import Row, Warehouse


def choices(warehouse: Warehouse, limit: int = 500) -> list[Row]:
    """The values that the filters of a selection can take, those of the most videos first.

    Returns:
        Rows {filter, value, videos}, by filter: show, channel, source, speaker or language; at most `limit`
        of each. Talks that are withdrawn or have no row to count are not among the videos.
    """
    return warehouse.rows(
        f"""
        SELECT one.1 AS filter, one.2 AS value, count() AS videos
        FROM
        (
            SELECT arrayConcat(
                [('show', show), ('channel', channel), ('source', source), ('language', toString(language))],
                arrayMap(name -> ('speaker', name), arrayDistinct(speakers))
            ) AS every
            FROM video_topics FINAL WHERE model_version = {MODEL} AND withdrawn = 0
        )
        ARRAY JOIN every AS one
        WHERE value != ''
        GROUP BY filter, value
        ORDER BY filter, videos DESC, value
        LIMIT {{limit:UInt32}} BY filter
        """,
        limit=limit,
    )
