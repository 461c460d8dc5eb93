"""Who the speakers of talks are: names that people gave, in place of what a transcript calls them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from streams.store.warehouse import Row, Warehouse, strings


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
    found = warehouse.rows(
        f"SELECT * FROM {namings('video_id IN ' + strings('ids'))}",
        ids=json.dumps(sorted({row["video_id"] for row in rows})),
    )
    if not found:
        return list(rows)
    names = {(row["video_id"], row["transcript_version"], row["speaker"]): row["name"] for row in found}
    return [row | {"speakers": _called(row, names)} for row in rows]


def _called(row: Row, names: Mapping[tuple[str, str, str], str]) -> list[str]:
    """Return a row's speakers by name; one person once, also of whom diarization made two speakers."""
    of = row["video_id"], row["transcript_version"]
    return list(dict.fromkeys(names.get((*of, each), each) for each in row["speakers"]))
