"""Facets of a selection: shows, channels, sources, speakers and languages of the talks."""

from __future__ import annotations

from streams.store.codebook.effective import shown_model
from streams.store.queries.selection import EVERYTHING, Selection
from streams.store.rows.corpus import Choice
from streams.store.warehouse import Warehouse


def choices(warehouse: Warehouse, selection: Selection = EVERYTHING, limit: int = 500) -> list[Choice]:
    """Return the values of the filters within a selection, by filter, those of the most talks first.

    There are at most `limit` of each filter. Talks that are withdrawn or have no row to count are not among
    the videos.
    """
    return warehouse.rows_as(
        Choice,
        f"""
        SELECT one.1 AS filter, one.2 AS value, count() AS videos
        FROM
        (
            SELECT arrayConcat(
                [('show', show), ('channel', channel), ('source', source), ('language', toString(language))],
                arrayMap(name -> ('speaker', name), arrayDistinct(speakers))
            ) AS every
            FROM video_topics FINAL WHERE model_version = {{model:String}} AND {selection.where}
        )
        ARRAY JOIN every AS one
        WHERE value != ''
        GROUP BY filter, value
        ORDER BY filter, videos DESC, value
        LIMIT {{limit:UInt32}} BY filter
        """,
        **selection.parameters,
        model=shown_model(warehouse),
        limit=limit,
    )
