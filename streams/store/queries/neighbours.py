"""Queries of the topics that occur in the same videos as one topic."""

from __future__ import annotations

from collections.abc import Mapping

from streams.store.codebook.effective import EffectiveCodebook, EffectiveEntry, book
from streams.store.queries.aggregation import UNITS, by_topic, mapped, talks
from streams.store.queries.selection import EVERYTHING, Selection
from streams.store.rows.topics import Neighbour
from streams.store.warehouse import Warehouse


def neighbours(
    warehouse: Warehouse,
    topic_id: int,
    selection: Selection = EVERYTHING,
    limit: int = 10,
    applied: EffectiveCodebook | None = None,
) -> list[Neighbour]:
    """Return the topics that occur in the same talks as one, the closest (Jaccard) first.

    The numbers are those of `cooccurrence`, which returns only the most frequent pairs of a long study.

    Args:
        warehouse: the study.
        topic_id: the topic; a merged one stands for the topic that it counts for.
        selection: the talks to count.
        limit: the most topics to return.
        applied: the codebook as of the selection's revision; None: it is read.
    """
    applied = applied or book(warehouse, selection.codebook)
    target = applied.counts_as(topic_id)
    units = by_topic(applied)
    if target not in units.values():
        return []
    rows = warehouse.rows(
        f"""
        SELECT unit, countIf(together) AS videos, count() AS other_videos,
               sum(countIf(place = 1)) OVER () AS of_videos,
               sum(countIf(unit = {{target:UInt32}})) OVER () AS topic_videos
        FROM (
            SELECT arrayFilter(unit -> unit > 0, arrayDistinct({UNITS})) AS present,
                   has(present, {{target:UInt32}}) AS together
            {talks(selection)}
        )
        ARRAY JOIN present AS unit, arrayEnumerate(present) AS place
        GROUP BY unit
        """,
        **selection.parameters,
        **mapped(units),
        model=applied.model_version,
        target=target,
    )
    found = [_neighbour(applied.entries[row["unit"]], row) for row in rows]
    near = [row for row in found if row["topic_id"] != target and row["videos"]]
    return sorted(near, key=lambda row: (-row["jaccard"], row["topic_id"]))[:limit]


def _neighbour(entry: EffectiveEntry, counted: Mapping[str, int]) -> Neighbour:
    both, one, other = counted["videos"], counted["topic_videos"], counted["other_videos"]
    return {
        "topic_id": entry.topic_id,
        "name": entry.name,
        "theme": entry.theme,
        "videos": both,
        "topic_videos": one,
        "other_videos": other,
        "of_videos": counted["of_videos"],
        "jaccard": both / (one + other - both),
        "lift": both * counted["of_videos"] / (one * other) if one else 0.0,
    }
