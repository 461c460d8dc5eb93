"""Query of the shows and speakers of a topic."""

from __future__ import annotations

from streams.store.codebook.effective import EffectiveCodebook, book
from streams.store.queries.selection import EVERYTHING, Selection
from streams.store.rows.topics import Speaking
from streams.store.warehouse import Warehouse


def speaking(
    warehouse: Warehouse,
    topic_id: int,
    selection: Selection = EVERYTHING,
    limit: int = 10,
    applied: EffectiveCodebook | None = None,
) -> list[Speaking]:
    """Return the shows and the speakers whose talks are about a topic; most talks first.

    Speakers are people that a talk names; voices that are only numbered ("SPEAKER_00") are another person in
    every talk, so they are left out. The numbers are those of the selection narrowed to the show or person.

    Args:
        warehouse: the study.
        topic_id: the topic; a merged one stands for the topic that it counts for.
        selection: the talks to count.
        limit: the most shows, and the most people, to return.
        applied: the codebook as of the selection's revision; None: it is read.
    """
    applied = applied or book(warehouse, selection.codebook)
    family = [
        known for known, entry in applied.counted.items() if entry.topic_id == applied.counts_as(topic_id)
    ]
    return warehouse.rows_as(
        Speaking,
        f"""
        SELECT who.1 AS what, who.2 AS name, countIf(spoken) AS videos, count() AS of_videos,
               videos / of_videos AS share, count() OVER (PARTITION BY what) AS of_names
        FROM (
            SELECT hasAny(topics.id, {{family:Array(UInt32)}}) AS spoken,
                   arrayConcat(
                       arrayMap(each -> ('show', each), [show]),
                       arrayMap(each -> ('speaker', each),
                                arrayFilter(each -> NOT match(each, '^SPEAKER_[0-9]+$'), speakers))) AS named
            FROM video_topics FINAL
            WHERE model_version = {{model:String}} AND hasAny(topics.id, {{counted:Array(UInt32)}})
              AND {selection.where}
        )
        ARRAY JOIN arrayDistinct(arrayFilter(each -> each.2 != '', named)) AS who
        GROUP BY who HAVING videos > 0
        ORDER BY what, videos DESC, of_videos, name LIMIT {{limit:UInt32}} BY what
        """,
        **selection.parameters,
        model=applied.model_version,
        family=family,
        counted=list(applied.counted),
        limit=limit,
    )
