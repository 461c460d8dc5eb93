"""Queries of the codebook's entries, and of a topic's name where nobody has named it.

Plain queries, put together here: a join of tables as small as these takes longer to plan than to run, and
every number of the study begins with this.
"""

from __future__ import annotations

from streams.store.warehouse import Row, Warehouse

NEWEST = 2**64 - 1
"""As of no earlier revision."""


def entries(warehouse: Warehouse, model: str, until: int = NEWEST) -> list[Row]:
    """Return what a revision of the codebook says of a model's topics, merged and excluded ones among them.

    Returns:
        Rows {topic_id, decided, own, theme, retained, target, reason, revision}, by topic. decided: the name
        that a person gave, or empty; own: what a labeller said, else what the model says now (of a seeded
        one, the codebook's name); theme: empty before it is in one; target: the topic that a person merged it
        into, or 0; revision: the one that the entry is from.
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
    return [_entry(row, labelled, learned) for row in said]


def _labels(warehouse: Warehouse, table: str, model: str) -> dict[int, str]:
    rows = warehouse.rows(
        f"SELECT topic_id, label FROM {table} FINAL WHERE model_version = {{model:String}}", model=model
    )
    return {row["topic_id"]: row["label"] for row in rows}


def _entry(said: Row, labelled: dict[int, str], learned: dict[int, str]) -> Row:
    """Tell what a person called it from what it was seeded or born with: that is revision 0."""
    topic_id, name = said["topic_id"], said.pop("name")
    decided, seeded = (name, "") if said["revision"] else ("", name)
    own = labelled.get(topic_id) or learned.get(topic_id) or seeded
    return said | {"decided": decided, "own": own}
