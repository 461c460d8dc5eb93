"""Queries of the codebook's entries, and of the names of topics that nobody has named.

These are plain queries whose results are joined in Python: ClickHouse takes longer to plan a join of tables
this small than to run it, and every number of the study starts with one.
"""

from __future__ import annotations

from typing import Any

from streams.store.rows.codebook import StoredEntry
from streams.store.warehouse import Warehouse, typed

NEWEST = 2**64 - 1
"""Stands for the newest revision."""


def entries(warehouse: Warehouse, model: str, until: int = NEWEST) -> list[StoredEntry]:
    """Return the entries of a model's topics in a revision of the codebook, by topic.

    Merged and excluded topics are among them.
    """
    said = warehouse.rows(
        """
        SELECT topic_id, name, theme, retained, target, reason, revision FROM codebook_entries
        WHERE model_version = {model:String} AND revision <= {until:UInt64}
        ORDER BY topic_id, revision DESC LIMIT 1 BY topic_id
        """,
        model=model,
        until=until,
    )
    labelled, learned = (_labels(warehouse, table, model) for table in ("labels", "topic_words"))
    return typed(StoredEntry, [_entry(row, labelled, learned) for row in said])


def _labels(warehouse: Warehouse, table: str, model: str) -> dict[int, str]:
    rows = warehouse.rows(
        f"SELECT topic_id, label FROM {table} FINAL WHERE model_version = {{model:String}}", model=model
    )
    return {row["topic_id"]: row["label"] for row in rows}


def _entry(said: dict[str, Any], labelled: dict[int, str], learned: dict[int, str]) -> dict[str, Any]:
    """Return an entry with both names; the name in revision 0 is the one it was seeded or born with."""
    topic_id, name = said["topic_id"], said.pop("name")
    decided, seeded = (name, "") if said["revision"] else ("", name)
    own = labelled.get(topic_id) or learned.get(topic_id) or seeded
    return said | {"decided": decided, "own": own}
