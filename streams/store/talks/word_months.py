"""Query of the talks that mention words, by month of publication."""

from __future__ import annotations

from streams.store.codebook.effective import EffectiveCodebook, book
from streams.store.queries import aggregation
from streams.store.queries.selection import EVERYTHING, Selection
from streams.store.rows.search import CountedWordMonth
from streams.store.talks.search import paragraphs_with
from streams.store.talks.search_text import asked_for
from streams.store.warehouse import Warehouse


def word_months(
    warehouse: Warehouse,
    text: str,
    selection: Selection = EVERYTHING,
    applied: EffectiveCodebook | None = None,
) -> list[CountedWordMonth]:
    """Return the talks with a paragraph that has every word of a text, per month of publication, by month.

    Words match as in `search`, but misspelled ones are not corrected. The talks are those with a retained
    topic, so that shares compare with those of topics. A month without such a talk has no row.
    """
    applied = applied or book(warehouse, selection.codebook)
    asked = asked_for(warehouse, text, correct=False)
    if not asked.terms or not applied.counted:
        return []
    conditions, parameters = paragraphs_with(asked)
    rows = warehouse.rows(
        f"""
        SELECT toStartOfMonth(published_on) AS month, uniqExact(video_id) AS videos,
               count() AS paragraphs, sum(seconds) / 60 AS minutes
        FROM (
            SELECT DISTINCT video_id, transcript_version, position, end_s - start_s AS seconds
            FROM paragraphs WHERE {conditions}
        ) AS p
        INNER JOIN (
            SELECT video_id, transcript_version, published_on
            {aggregation.talks(selection)} AND {aggregation.COUNTS}
        ) AS c USING (video_id, transcript_version)
        GROUP BY month ORDER BY month
        """,
        **selection.parameters,
        **parameters,
        **aggregation.mapped(aggregation.by_topic(applied)),
        model=applied.model_version,
    )
    of_videos = aggregation.months(warehouse, selection, applied)
    return [
        {
            "month": month,
            "videos": row["videos"],
            "of_videos": of_videos[month],
            "share": row["videos"] / of_videos[month],
            "paragraphs": row["paragraphs"],
            "minutes": row["minutes"],
        }
        for row in rows
        for month in (f"{row['month']:%Y-%m}",)
    ]
