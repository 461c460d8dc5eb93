"""Version of a study's database: it changes with the content, and takes a few milliseconds to compute."""

from __future__ import annotations

from datetime import UTC, datetime
from weakref import WeakKeyDictionary

from streams.store.warehouse import Warehouse

_known: WeakKeyDictionary[Warehouse, tuple[object, dict[str, str]]] = WeakKeyDictionary()
"""What embedded databases held when their content was last asked for."""


def state(warehouse: Warehouse) -> str:
    """Return a text that changes with the content of the database, and with the day.

    It contains the day (UTC), because results depend on whether a month is over.
    """
    held = sorted(holdings(warehouse).items())
    return " ".join([f"{datetime.now(UTC):%Y-%m-%d}", *(f"{table}:{parts}" for table, parts in held)])


def holdings(warehouse: Warehouse) -> dict[str, str]:
    """Return the version of each table that is not empty: a text that changes with its content.

    Every insert gets a number that its table never uses again, and every mutation another. A merge has the
    numbers of the parts that it replaces, so it changes no version, as it changes no answer. The path holds
    the id of the table: one that is created or exchanged under the same name is another.

    An embedded database is not asked again before this process has written to it: no other can.
    """
    content = warehouse.content  # read first: what is written meanwhile makes it another
    if content is not None and (known := _known.get(warehouse)) and known[0] is content:
        return known[1]
    found = _held(warehouse)
    if content is not None:
        _known[warehouse] = content, found
    return found


def _held(warehouse: Warehouse) -> dict[str, str]:
    found = warehouse.rows(
        """
        SELECT table, groupBitXor(sipHash64(partition_id, uuid, newest, mutation)) AS which
        FROM (
            SELECT table, partition_id, extract(path, '/([0-9a-f-]{36})/') AS uuid, sum(rows) AS held,
                   max(max_block_number) AS newest, max(toUInt64OrZero(splitByChar('_', name)[5])) AS mutation
            FROM system.parts WHERE database = {db:String} AND active
            GROUP BY table, partition_id, uuid
        )
        GROUP BY table HAVING sum(held) > 0
        """,
        db=warehouse.database,
    )
    return {row["table"]: f"{row['which']:x}" for row in found}
