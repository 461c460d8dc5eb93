"""Writer of rows: the only code that inserts facts into ClickHouse.

At-least-once in, exactly-once out: every table is keyed by a deterministic id, prevalence is computed from
sets, and `progress` is inserted last in a block, so that no video counts as done before all its rows are
stored.
"""

from __future__ import annotations

from collections.abc import Iterable

from streams.store.event_rows import NO_TOPIC, Columns, paragraph_row, rows_of
from streams.store.rollups import measure
from streams.store.warehouse import Warehouse

__all__ = ["MEASURED", "NO_TOPIC", "ORDER", "Columns", "paragraph_row", "rows_of", "write"]

Tables = dict[str, list[Columns]]
ORDER = (
    "videos",
    "sightings",
    "screenings",
    "parkings",
    "relevances",
    "reviews",
    "followed",
    "transcripts",
    "paragraphs",
    "topics",
    "topic_words",
    "codebook_entries",
    "themes",
    "decisions",
    "judgements",
    "concept_judgements",
    "validation_samples",
    "codings",
    "labels",
    "drifts",
    "epochs",
    "merges",
    "dormancies",
    "consolidations",
    "health",
    "emergences",
    "alerts",
    "deliveries",
    "alert_judgements",
    "dead_letters",
    "settlements",
    "assignments",
    "memberships",
    "learned",
    "corrections",
    "progress",
)
MEASURED = ("videos", "paragraphs", "assignments", "memberships", "learned", "corrections")
"""Tables whose rows change a talk's row in `video_topics`."""


def write(warehouse: Warehouse, rows: Iterable[tuple[str, Columns]]) -> None:
    """Insert rows, one block per table, `progress` last. Idempotent."""
    tables: Tables = {}
    for table, row in rows:
        tables.setdefault(table, []).append(row)
    counted = {row["video_id"] for table in MEASURED for row in tables.get(table, [])}
    for table in ORDER:
        if table == "progress":
            measure(warehouse, counted)
        warehouse.insert(table, tables.pop(table, []))
    assert not tables, f"no place in the order of inserts for {sorted(tables)}"
