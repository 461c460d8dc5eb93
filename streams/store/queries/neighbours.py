"""Topics that talks speak of together with one."""

from __future__ import annotations

from streams.store.codebook.effective import EffectiveCodebook, book
from streams.store.queries.aggregation import UNITS, by_topic, mapped, talks
from streams.store.queries.selection import EVERYTHING, Selection
from streams.store.warehouse import Row, Warehouse


def neighbours(
    warehouse: Warehouse,
    topic_id: int,
    selection: Selection = EVERYTHING,
    limit: int = 10,
    applied: EffectiveCodebook | None = None,
) -> list[Row]:
    """Topics that occur in the same videos as one, the closest (Jaccard) first.

    The numbers are those of `cooccurrence`, of which a long study shows only the most frequent pairs.

    Args:
        warehouse: the study.
        topic_id: of a merged one, the topic that it counts for.
        selection: the talks.
        limit: at most so many.
        applied: the codebook as of the selection's revision, where it is at hand.

    Returns:
        Rows {topic_id, name, theme, videos, topic_videos, other_videos, of_videos, jaccard, lift}: of the
        other topic; topic_videos are those of the one asked for, other_videos the other's. jaccard: of the
        videos with either, the share with both; lift: videos with both over what independence would give.
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
    found = [
        _pair(row, applied.entries[row["unit"]].name, applied.entries[row["unit"]].theme) for row in rows
    ]
    near = [row for row in found if row["topic_id"] != target and row["videos"]]
    return sorted(near, key=lambda row: (-row["jaccard"], row["topic_id"]))[:limit]


def _pair(row: Row, name: str, theme: str) -> Row:
    both, one, other = row["videos"], row["topic_videos"], row["other_videos"]
    counts = ("videos", "topic_videos", "other_videos", "of_videos")
    return (
        {"topic_id": row["unit"], "name": name, "theme": theme}
        | {count: row[count] for count in counts}
        | {
            "jaccard": both / (one + other - both),
            "lift": both * row["of_videos"] / (one * other) if one else 0.0,
        }
    )
