"""Names that people gave to speakers, in place of what a transcript calls them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from streams.store.cache import cached
from streams.store.warehouse import Row, Warehouse

TABLES = ("corrections",)
"""Names are in these."""


def namings(wanted: str = "1") -> str:
    """Return the names that hold, as a subquery: {video_id, transcript_version, speaker, name}.

    `wanted` limits the talks, as SQL.
    """
    return f"""(
    SELECT video_id, transcript_version, speaker, argMax(name, (corrected_at, correction_id)) AS name
    FROM corrections FINAL WHERE what = 'named' AND {wanted}
    GROUP BY video_id, transcript_version, speaker HAVING name != ''
)"""


def named(warehouse: Warehouse, rows: Sequence[Row]) -> list[Row]:
    """Return rows {video_id, transcript_version, speakers, …} with the names of the speakers who have one."""
    names = cached(warehouse, "names", TABLES, lambda: _names(warehouse))
    return [row | {"speakers": _called(row, names)} for row in rows] if names else list(rows)


def _names(warehouse: Warehouse) -> dict[tuple[str, str, str], str]:
    """Return every name that holds, by talk, transcript and speaker; people gave them, so they are few."""
    found = warehouse.rows(f"SELECT * FROM {namings()}")
    return {(row["video_id"], row["transcript_version"], row["speaker"]): row["name"] for row in found}


def _called(row: Row, names: Mapping[tuple[str, str, str], str]) -> list[str]:
    """Return a row's speakers by name; one person once, also of whom diarization made two speakers."""
    of = row["video_id"], row["transcript_version"]
    return list(dict.fromkeys(names.get((*of, each), each) for each in row["speakers"]))
