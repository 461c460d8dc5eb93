"""Detection of damaged table parts: ClickHouse could not read them, so their rows are missing."""

from __future__ import annotations

from collections.abc import Sequence

from streams.store.rows.corpus import DamagedPart
from streams.store.warehouse import Warehouse

CURE = (
    "run groundswell reconcile, which writes again what the blob store has, or restore the database from a "
    "backup; once no rows are missing, delete the named folders"
)


def damaged_parts(warehouse: Warehouse) -> list[DamagedPart]:
    """Return the parts that ClickHouse detached from their tables as broken when it started.

    A broken disk or a power failure damages files. ClickHouse then starts without them, and every number
    lacks their rows. Parts are sorted by table and path.
    """
    return warehouse.rows_as(
        DamagedPart,
        """
        SELECT table, path FROM system.detached_parts
        WHERE database = currentDatabase() AND reason LIKE 'broken%' ORDER BY table, path
        """,
    )


def missing_rows(parts: Sequence[DamagedPart]) -> str:
    """Return a sentence that explains which rows are missing because of damaged parts.

    >>> missing_rows([{"table": "topics", "path": "/a"}, {"table": "topics", "path": "/b"}])
    'rows are missing from topics: ClickHouse could not read 2 parts of it (/a, /b)'
    """
    tables = ", ".join(dict.fromkeys(part["table"] for part in parts))
    paths = ", ".join(part["path"] for part in parts)
    what = f"{len(parts)} parts" if len(parts) > 1 else "a part"
    them = "them" if "," in tables else "it"
    return f"rows are missing from {tables}: ClickHouse could not read {what} of {them} ({paths})"
