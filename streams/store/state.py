"""Whether a study's database holds anything else than before, told in a few milliseconds."""

from __future__ import annotations

from collections.abc import Sequence

from streams.store.warehouse import Warehouse


def state(warehouse: Warehouse, tables: Sequence[str] = ()) -> str:
    """Return a text that is another one whenever the database holds something else, or another day has come.

    With `tables`, whenever one of these holds something else.

    Everything written becomes a part of its table, with a name that the table gives once for as long as the
    server runs: the names of all parts, and when they were written, say what there is. A merge, which changes
    no answer, makes another state as well. The day is in it because a month that is not over yet is counted
    as such.
    """
    found = warehouse.rows(
        """
        SELECT count() AS parts, groupBitXor(sipHash64(table, name, rows, modification_time)) AS which,
               toString(toDate(now('UTC'))) AS day
        FROM system.parts
        WHERE database = {db:String} AND active
          AND (empty({tables:Array(String)}) OR has({tables:Array(String)}, table))
        """,
        db=warehouse.database,
        tables=list(tables),
    )[0]
    return f"{found['day']} {found['parts']} {found['which']:x}"
