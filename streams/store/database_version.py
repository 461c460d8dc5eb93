"""The version of a study's database: it changes with the content, and takes a few milliseconds."""

from __future__ import annotations

from datetime import UTC, datetime

from streams.store.warehouse import Warehouse


def state(warehouse: Warehouse) -> str:
    """Return a text that is another one whenever the database holds something else, or another day has come.

    The day (UTC) is in it because a month that is not over yet is counted as such.
    """
    held = sorted(holdings(warehouse).items())
    return " ".join([f"{datetime.now(UTC):%Y-%m-%d}", *(f"{table}:{parts}" for table, parts in held)])


def holdings(warehouse: Warehouse) -> dict[str, str]:
    """Return a text for each table that holds anything; another one whenever it holds something else.

    Everything written becomes a part of its table, with a name that the table gives once for as long as the
    server runs: the names of all parts, and when they were written, say what there is. A merge, which changes
    no answer, makes another text as well.
    """
    found = warehouse.rows(
        """
        SELECT table, count() AS parts, groupBitXor(sipHash64(name, rows, modification_time)) AS which
        FROM system.parts WHERE database = {db:String} AND active GROUP BY table
        """,
        db=warehouse.database,
    )
    return {row["table"]: f"{row['parts']}/{row['which']:x}" for row in found}
