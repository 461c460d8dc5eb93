"""Client for both kinds of ClickHouse: chDB in this process, or a server over HTTP.

chDB allows one process per folder, which locks it (`streams.store.process_lock`); all code in that process
shares one `Warehouse`, whose lock serializes its calls. A server that does not answer is retried with
back-off and a log line; the error of an invalid statement, and a refusal of this client, are raised at once.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

import stamina
import structlog

from streams.errors import Misconfigured, Unavailable
from streams.settings import Settings
from streams.store import server
from streams.store.process_lock import PATIENCE_S, Hold, take

log = structlog.get_logger()
T = TypeVar("T")
DURABLE = {"fsync_after_insert": 1, "fsync_part_directory": 1}
"""Settings of every table: an insert returns when its rows are on the disk, not only in the kernel's memory.

Merges need none: ClickHouse keeps the merged parts for eight more minutes (`old_parts_lifetime`).
"""
DURABLY = ", ".join(f"{name} = {value}" for name, value in DURABLE.items())
MIGRATIONS = Path(__file__).parent / "migrations"


def strings(name: str) -> str:
    """Return a subquery of the strings in the parameter `name`, a JSON array.

    clickhouse-connect's own arrays of strings corrupt quotes, backslashes and direction marks.
    """
    return f"(SELECT arrayJoin({array(name)}))"


def array(name: str) -> str:
    """Return the array of strings in the parameter `name`, a JSON array, as SQL."""
    return f"JSONExtract({{{name}:String}}, 'Array(String)')"


def typed(shape: type[T], rows: list[dict[str, Any]]) -> list[T]:
    """Return rows as those of a TypedDict; the first of them must have exactly its fields.

    Example:
        >>> from streams.store.rows.topics import MonthVideos
        >>> typed(MonthVideos, [{"month": "2025-01", "videos": 3}])[0]["videos"]
        3
    """
    assert not rows or rows[0].keys() == shape.__annotations__.keys(), (shape.__name__, list(rows[0]))
    return cast("list[T]", rows)


class _DurableClient:
    """Client for migrations: creates every table with the settings of `DURABLE`.

    Altering each table afterwards takes as long as all other statements of the migrations together.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self.query = client.query
        self.insert = client.insert

    def command(self, statement: str) -> Any:
        if re.search(r"\bENGINE = \w*MergeTree\b", statement):
            statement = f"{statement.rstrip().rstrip(';')}\nSETTINGS {DURABLY}"
        return self._client.command(statement)


class Warehouse:
    """A study's ClickHouse database."""

    def __init__(self, settings: Settings, *, patience_s: float | None = None) -> None:
        """Connect lazily. `patience_s`: seconds to wait for a server (0: one try; None: forever)."""
        self.settings = settings
        self.database = settings.study
        self._patience_s = patience_s
        self._lock = threading.RLock()
        self._client: Any = None
        self._hold: Hold | None = None

    def __enter__(self) -> Warehouse:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the client; the next call connects again."""
        with self._lock:
            if self._client is not None:
                self._client.close()
                self._client = None
            if self._hold is not None:
                self._hold.release()
                self._hold = None

    @property
    def where(self) -> str:
        """The database's address, for messages."""
        if self.settings.embedded_clickhouse:
            return f"the embedded ClickHouse in {self.settings.database_folder}"
        return server.where(self.settings)

    def migrate(self) -> list[int]:
        """Create the database, apply the missing migrations, and return their numbers.

        Every table gets the settings of `DURABLE`.

        Raises:
            Misconfigured: the tables belong to another version of groundswell.
        """
        from clickhouse_migrations.connection import ClickhouseConnectConnection
        from clickhouse_migrations.exceptions import MigrationException
        from clickhouse_migrations.migration import MigrationStorage
        from clickhouse_migrations.migrator import Migrator

        def apply(client: Any) -> list[int]:
            migrator = Migrator(ClickhouseConnectConnection(_DurableClient(client)))
            migrator.init_schema()
            applied = migrator.apply_migration(
                MigrationStorage(MIGRATIONS).migrations(), multi_statement=True
            )
            return [migration.version for migration in applied]

        try:
            applied = self._call(apply, reads=not self.missing_migrations())
            self._make_durable()
            return applied
        except MigrationException as error:
            raise Misconfigured(
                f"the tables of {self.where} do not fit this version of groundswell ({error})",
                "use the version that created them, or a new study name",
            ) from error

    def _make_durable(self) -> None:
        """Give tables of an earlier version the settings of `DURABLE`; new ones are created with them."""
        lacks = " OR ".join(
            f"position(create_table_query, '{name} = {value}') = 0" for name, value in DURABLE.items()
        )
        tables = self.rows(
            f"""
            SELECT name FROM system.tables
            WHERE database = {{db:String}} AND engine LIKE '%MergeTree' AND ({lacks})
            """,
            db=self.database,
        )
        for table in tables:
            self.command(f"ALTER TABLE `{table['name']}` MODIFY SETTING {DURABLY}")

    def missing_migrations(self) -> list[int]:
        """Return the numbers of migrations that the database lacks, without changing it."""
        from clickhouse_migrations.migration import MigrationStorage

        known = {migration.version for migration in MigrationStorage(MIGRATIONS).migrations()}
        tables = self.rows(
            "SELECT name FROM system.tables WHERE database = {db:String} AND name = 'schema_versions'",
            db=self.database,
        )
        if not tables:
            return sorted(known)
        applied = {int(row["version"]) for row in self.rows("SELECT version FROM schema_versions")}
        return sorted(known - applied)

    def rows(self, statement: str, **parameters: Any) -> list[dict[str, Any]]:
        """Return the rows of a query; the server binds the parameters (`{name:Type}`)."""
        return self._call(
            lambda client: list(
                client.query(statement, parameters=parameters, tz_mode="aware").named_results()
            ),
            reads=True,
        )

    def columns(self, statement: str, parameters: Mapping[str, Any]) -> tuple[Sequence[Any], ...]:
        """Return the columns of a query, without names; none if it has no rows."""
        return self._call(
            lambda client: tuple(client.query(statement, parameters=dict(parameters)).result_columns),
            reads=True,
        )

    def rows_as(self, shape: type[T], statement: str, /, **parameters: Any) -> list[T]:
        """Run a query whose columns are the fields of a TypedDict, and return its rows as such."""
        return typed(shape, self.rows(statement, **parameters))

    def insert(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert rows (all with the same keys) as one block, durably."""
        if not rows:
            return
        columns = list(rows[0])
        block = [[row[column] for column in columns] for row in rows]
        self._call(lambda client: client.insert(table, block, column_names=columns, database=self.database))

    def command(self, statement: str, **parameters: Any) -> None:
        """Execute a statement without a result; the server binds the parameters."""
        self._call(lambda client: client.command(statement, parameters=parameters or None))

    def raw(self, action: Callable[[Any], T]) -> T:
        """Run an action with the client itself (for files in ClickHouse's formats); it may be retried."""
        return self._call(action)

    def warm_up(self) -> None:
        """Trigger the lazy imports of the first insert, which take seconds, before events wait for them."""
        self.command("CREATE TABLE IF NOT EXISTS warm_up (n UInt8) ENGINE = Null")
        self.insert("warm_up", [{"n": 0}])

    @property
    def content(self) -> object | None:
        """An object that stands for the database's content, the same until the content changes.

        None if that is not known: the database is not open, or a server's, to which others write as well.
        """
        with self._lock:
            return self._hold.content if self._hold is not None else None

    def _call(self, action: Callable[[Any], T], *, reads: bool = False) -> T:
        """Run an action with the client; `reads`: it changes nothing, so what was answered still holds."""
        from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError

        try:
            for attempt in stamina.retry_context(
                on=OperationalError,
                attempts=1 if self._patience_s == 0 else None,
                timeout=self._patience_s or None,
                wait_initial=0.5,
                wait_max=15.0,
            ):
                with attempt, self._lock:
                    try:
                        if self._client is None:
                            self._client = self._connect()
                        if self._hold is not None and not reads:
                            self.settings.answers_file.unlink(missing_ok=True)
                        try:
                            return action(self._client)
                        finally:
                            if self._hold is not None and not reads:
                                self._hold.changed()
                    except DatabaseError as error:
                        self._raise_refusal(error)
                        if isinstance(error, OperationalError):
                            self._client = None
                            log.warning(
                                "ClickHouse does not answer", where=self.where, error=server.reason(error)
                            )
                        raise
        except OperationalError as error:
            raise Unavailable(f"cannot reach {self.where} ({server.reason(error)})", self._cure()) from error
        raise AssertionError("unreachable: the last attempt raises")

    def _raise_refusal(self, error: Exception) -> None:
        """Raise Misconfigured if the server refuses this client; to ask it again would change nothing."""
        refused = None if self.settings.embedded_clickhouse else server.refusal(self.settings, error)
        if refused is not None:
            self._client = None
            raise refused from error

    def _cure(self) -> str:
        if self.settings.embedded_clickhouse:
            return "check that the folder is writable and the disk is not full"
        return (
            'start it with "docker compose up -d clickhouse", correct GROUNDSWELL_CLICKHOUSE, '
            "or leave it unset for the embedded ClickHouse"
        )

    def _connect(self) -> Any:
        if self.settings.embedded_clickhouse:
            from streams.store import embedded

            if self._hold is None:
                patience_s = 0.0 if self._patience_s == 0 else PATIENCE_S
                self._hold = take(self.settings.lock_file, say=log.warning, patience_s=patience_s)
            client = embedded.connect(self.settings.database_folder)
            client.command(f"CREATE DATABASE IF NOT EXISTS `{self.database}`")
            client.command(f"USE `{self.database}`")
            return client
        return server.connect(self.settings, self._patience_s)
