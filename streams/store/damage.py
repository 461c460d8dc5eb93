"""Finds the parts of tables that ClickHouse could not read, and set aside without their rows."""

from __future__ import annotations

from collections.abc import Sequence

from streams.store.rows.corpus import DamagedPart
from streams.store.warehouse import Warehouse

CURE = (
    "restore the database from a backup, or start a new study from the same recordings; "
    "once nothing is missing any more, delete the named folders"
)


def damaged_parts(warehouse: Warehouse) -> list[DamagedPart]:
    """Return the parts that are missing from their tables, as found when ClickHouse started.

    A broken disk or a power failure damages files. ClickHouse then starts without what they hold, and every
    number leaves it out. Parts are sorted by table and path.
    """
    return warehouse.rows_as(
        DamagedPart,
        """
        SELECT table, path FROM system.detached_parts
        WHERE database = currentDatabase() AND reason LIKE 'broken%' ORDER BY table, path
        """,
    )


def missing_rows(parts: Sequence[DamagedPart]) -> str:
    """Say what damaged parts mean, in one sentence.

    >>> missing_rows([{"table": "topics", "path": "/a"}, {"table": "topics", "path": "/b"}])
    'rows are missing from topics: ClickHouse could not read 2 parts of it (/a, /b)'
    """
    tables = ", ".join(dict.fromkeys(part["table"] for part in parts))
    paths = ", ".join(part["path"] for part in parts)
    what = f"{len(parts)} parts" if len(parts) > 1 else "a part"
    them = "them" if "," in tables else "it"
    return f"rows are missing from {tables}: ClickHouse could not read {what} of {them} ({paths})"
