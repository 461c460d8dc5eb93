"""Version of a study's database: it changes with the content, and takes a few milliseconds to compute."""

from __future__ import annotations

from datetime import UTC, datetime

from streams.store.warehouse import Warehouse


def state(warehouse: Warehouse) -> str:
    """Return a text that changes with the content of the database, and with the day.

    It contains the day (UTC), because results depend on whether a month is over.
    """
    held = sorted(holdings(warehouse).items())
    return " ".join([f"{datetime.now(UTC):%Y-%m-%d}", *(f"{table}:{parts}" for table, parts in held)])


def holdings(warehouse: Warehouse) -> dict[str, str]:
    """Return the version of each table that is not empty: a text that changes with its content.

    Each insert creates a part with a name that the table uses only once while the server runs, so the names
    and modification times of all parts identify the content. A merge of parts, which changes no answer,
    changes the version as well.
    """
    found = warehouse.rows(
        """
        SELECT table, count() AS parts, groupBitXor(sipHash64(name, rows, modification_time)) AS which
        FROM system.parts WHERE database = {db:String} AND active GROUP BY table
        """,
        db=warehouse.database,
    )
    return {row["table"]: f"{row['parts']}/{row['which']:x}" for row in found}
