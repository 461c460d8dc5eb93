"""Names that people gave to speakers, which replace the names in a transcript."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from streams.store.cache import cached
from streams.store.warehouse import Warehouse

TABLES = ("corrections",)
"""Tables that the names are read from."""


def namings(wanted: str = "1") -> str:
    """Return the names in force, as a subquery: {video_id, transcript_version, speaker, name}.

    `wanted` limits the talks, as SQL.
    """
    return f"""(
    SELECT video_id, transcript_version, speaker, argMax(name, (corrected_at, correction_id)) AS name
    FROM corrections FINAL WHERE what = 'named' AND {wanted}
    GROUP BY video_id, transcript_version, speaker HAVING name != ''
)"""


def named(warehouse: Warehouse, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows {video_id, transcript_version, speakers, …} with the names of speakers who have one."""
    names = cached(warehouse, "names", TABLES, lambda: _names(warehouse))
    return [row | {"speakers": _called(row, names)} for row in rows] if names else list(rows)


def _names(warehouse: Warehouse) -> dict[tuple[str, str, str], str]:
    """Return all names in force by talk, transcript and speaker; people gave them, so they are few."""
    found = warehouse.rows(f"SELECT * FROM {namings()}")
    return {(row["video_id"], row["transcript_version"], row["speaker"]): row["name"] for row in found}


def _called(row: Mapping[str, Any], names: Mapping[tuple[str, str, str], str]) -> list[str]:
    """Return a row's speakers by name; a person whom diarization split into two speakers appears once."""
    of = row["video_id"], row["transcript_version"]
    return list(dict.fromkeys(names.get((*of, each), each) for each in row["speakers"]))
