"""Export and import of the tables on which a study's numbers depend.

ClickHouse itself writes and reads the files. A table is written with FINAL and in the order of its key, so
the same rows always give the same file.
"""

from __future__ import annotations

import csv
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from streams.errors import DataError
from streams.store.data_dictionary import TABLES, meaning
from streams.store.warehouse import Warehouse

Format = Literal["parquet", "csv"]
_EMPTIED = {"paragraphs": "text", "emergences": "quotes", "alerts": "quotes"}
"""Columns with spoken text, by table; they are empty in a package without text."""
_CLICKHOUSE: dict[Format, str] = {"parquet": "Parquet", "csv": "CSVWithNames"}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of an exported table; `key`: it is part of the key that identifies a row."""

    table: str
    name: str
    type: str
    key: bool
    meaning: str


def columns(warehouse: Warehouse, tables: Iterable[str] = TABLES) -> dict[str, list[Column]]:
    """Return the columns of tables from the database, with meanings and schema comments.

    `tables`: by default every exported table.
    """
    rows = warehouse.rows(
        """
        SELECT table, name, type, comment, is_in_sorting_key AS key FROM system.columns
        WHERE database = {db:String} ORDER BY table, position
        """,
        db=warehouse.database,
    )
    found: dict[str, list[Column]] = {table: [] for table in tables}
    for row in rows:
        if row["table"] in found:
            said = "; ".join(filter(None, (meaning(row["table"], row["name"]), row["comment"])))
            column = Column(row["table"], row["name"], row["type"], bool(row["key"]), said)
            found[row["table"]].append(column)
    return found


def rows_in(warehouse: Warehouse, table: str) -> int:
    """Return the number of rows of a table, without duplicates."""
    return int(warehouse.rows(f"SELECT count() AS rows FROM {table} FINAL")[0]["rows"])


def export_table(
    warehouse: Warehouse, of: list[Column], path: Path, format_: Format, *, with_text: bool
) -> None:
    """Write a table with the columns `of` to a file; without text, spoken text is left empty."""
    table, emptied = of[0].table, ""
    if not with_text and (name := _EMPTIED.get(table)):
        kind = next(column.type for column in of if column.name == name)
        emptied = f"REPLACE ({_silent(name, kind)} AS {name})"
    key = ", ".join(column.name for column in of if column.key)
    statement = f"SELECT * {emptied} FROM {table} FINAL ORDER BY {key}"

    def embedded(client: Any) -> None:
        path.unlink(missing_ok=True)
        client.command(f"{statement} INTO OUTFILE {_quoted(path)} FORMAT {_CLICKHOUSE[format_]}")

    def served(client: Any) -> None:
        # A server that sends before the answer is complete cannot report a later failure of the query.
        whole = {"wait_end_of_query": 1}
        with (
            client.raw_stream(statement, fmt=_CLICKHOUSE[format_], settings=whole) as stream,
            path.open("wb") as file,
        ):
            shutil.copyfileobj(stream, file, 1 << 20)

    warehouse.raw(embedded if warehouse.settings.embedded_clickhouse else served)


def import_table(warehouse: Warehouse, of: list[Column], path: Path, format_: Format) -> None:
    """Insert a file's rows. Idempotent."""

    def insert(client: Any) -> None:
        with path.open("rb") as file:
            client.raw_insert(of[0].table, [column.name for column in of], file, fmt=_CLICKHOUSE[format_])

    warehouse.raw(insert)


Query = Callable[..., list[dict[str, Any]]]


@contextmanager
def reading(warehouse: Warehouse) -> Iterator[Query]:
    """Yield a function that queries files of this machine, which a server cannot read."""
    if warehouse.settings.embedded_clickhouse:
        yield warehouse.rows
        return
    import clickhouse_connect

    client = clickhouse_connect.get_client(interface="chdb")
    try:
        yield lambda statement, **given: list(client.query(statement, parameters=given).named_results())
    finally:
        client.close()


def check_file(query: Query, of: list[Column], path: Path, format_: Format) -> None:
    """Check that a file has a table's columns with their types.

    Raises:
        DataError: a column is missing, unknown, or of another type.
    """
    from clickhouse_connect.driver.exceptions import DatabaseError

    expected = {column.name: _in_files(column.type) for column in of}
    names = f"DESCRIBE TABLE file({{path:String}}, '{_CLICKHOUSE[format_]}')"
    try:
        if format_ == "csv":  # ClickHouse guesses types from rows, and a table may have none
            found = dict.fromkeys(_header(path), "")
        else:
            found = {row["name"]: _in_files(row["type"]) for row in query(names, path=str(path.absolute()))}
    except (DatabaseError, csv.Error, UnicodeDecodeError) as error:
        raise _unfit(path, f"it is not a {_CLICKHOUSE[format_]} file ({_last_line(error)})") from error
    table = of[0].table
    for name in expected:
        if name not in found:
            raise _unfit(path, f"column {name} of table {table} is missing")
    for name in found:
        if name not in expected:
            raise _unfit(path, f"table {table} has no column {name}")
    if format_ == "parquet":
        for name, kind in expected.items():
            if found[name] != kind:
                raise _unfit(path, f"column {name} of table {table} is {found[name]}, not {kind}")
        return
    structure = ", ".join(f"`{column.name}` {_in_files(column.type, csv=True)}" for column in of)
    try:
        query(
            "SELECT sum(ignore(*)) AS read FROM file({path:String}, 'CSVWithNames', {structure:String})",
            path=str(path.absolute()),
            structure=structure,
        )
    except DatabaseError as error:
        wrong = re.findall(r"name: (\S+),\s+type: (.+?),\s+parsed text", str(error).split("ERROR")[0])
        if wrong:
            raise _unfit(path, f"column {wrong[-1][0]} of table {table} is not {wrong[-1][1]}") from error
        raise _unfit(path, f"table {table} cannot be read ({_last_line(error)})") from error


def _header(path: Path) -> list[str]:
    with path.open(encoding="utf-8", newline="") as file:
        return next(csv.reader(file), [])


def _silent(name: str, kind: str) -> str:
    """Return SQL of a column without spoken text: an empty text, or quotes with empty text."""
    if kind == "String":
        return "''"
    return f"CAST(arrayMap(q -> tuple(q.1, q.2, q.3, q.4, q.5, ''), {name}), '{kind}')"


def _in_files(kind: str, *, csv: bool = False) -> str:
    """Return a column's type in files, which have no storage wrappers and one type of dates."""
    bare = re.sub(r"\s+", " ", kind).replace("( ", "(")
    bare = re.sub(r"(?:LowCardinality|SimpleAggregateFunction)\((?:min, )?(.*)\)$", r"\1", bare)
    return bare if csv else re.sub(r"\bDate\b", "Date32", bare)


def _quoted(path: Path) -> str:
    return "'" + str(path.absolute()).replace("\\", "\\\\").replace("'", "\\'") + "'"


def _last_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if "Exception" in line]
    return (lines or [str(error)])[-1].partition("Exception: ")[2][:200] or "unreadable"


def _unfit(path: Path, cause: str) -> DataError:
    return DataError(
        f"{path.name}: {cause}", "use the groundswell version that made the package; nothing was changed"
    )
