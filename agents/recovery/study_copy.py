"""Copy of a whole embedded study to another database and blob store, for a move to a cluster.

The blobs go first, because a database may lag behind them but must not be ahead of them. The Kafka topics
are not copied: the agents see that the log is a new one, and send unfinished talks again. Everything is
idempotent, so an interrupted copy is continued by another one.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from streams.errors import DataError, Misconfigured
from streams.settings import EMBEDDED, Settings
from streams.state.blobs import Blobs
from streams.store import rollups
from streams.store.data_dictionary import LEFT_OUT, TABLES
from streams.store.exchange import columns, export_table, import_table, rows_in
from streams.store.warehouse import Warehouse

COPIED_FROM = "copied_from.json"
"""Key of the blob that names the study of which this one is a copy."""
NOT_COPIED = ("leases/", "reconcile/", COPIED_FROM)
"""Beginnings of the keys of blobs that belong to running processes."""
LARGE = 1_000_000
"""Size in bytes from which a blob that is there with the same size is not copied again."""
NOT_FACTS = {"video_topics", "schema_versions", "warm_up"}
"""Tables that are computed from the others, and ClickHouse's own."""
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Copied:
    """What a copy has, all of it or what was missing of it."""

    blobs: int
    blob_bytes: int
    rows: dict[str, int]
    """Number of rows by table."""
    files: list[str]
    """Names of the copied files beside database and blobs."""


def source_of(folder: Path, blobs: str, target: Settings) -> Settings:
    """Return the settings of the embedded study in a folder.

    Args:
        folder: the study's folder, `studies/NAME` in the folder of the data.
        blobs: its GROUNDSWELL_BLOBS; empty if it had none.
        target: settings whose other values do not matter.

    Raises:
        DataError: there is no embedded study in the folder.
    """
    folder = folder.expanduser().resolve()
    place = {"home": folder.parent.parent, "study": folder.name, "blobs": blobs, "alerts": "", "curators": ""}
    source = target.model_copy(update=place | {"broker": EMBEDDED, "clickhouse": EMBEDDED})
    if source.study_home != folder or not source.database_folder.is_dir():
        raise DataError(
            f"{folder} is not the folder of an embedded study",
            "name the folder studies/NAME in that machine's folder of the data, or in its GROUNDSWELL_HOME",
        )
    return source


def copy_study(source: Settings, target: Settings, say: Say) -> Copied:
    """Copy a stopped embedded study into the database and the blob store of `target`.

    Args:
        source: as returned by `source_of`.
        target: settings with a ClickHouse server.
        say: called with one line of progress per table, and for the blobs.

    Raises:
        Misconfigured: the target is embedded, too, or has a study already; the source is in use, or its
            tables are those of another version.
        Unavailable: a database or a blob store does not answer.
    """
    if target.embedded_clickhouse:
        raise Misconfigured(
            "GROUNDSWELL_CLICKHOUSE names no server, so there is nothing to copy the study to",
            "set it to the cluster's; another embedded study is a copy of the folder",
        )
    with Warehouse(source, patience_s=0) as here, Warehouse(target, patience_s=60) as there:
        _must_be_current(here)
        there.migrate()
        _must_be_its_copy(source, there, Blobs(target.blobs_url))
        blobs, size = _copy_blobs(Blobs(source.blobs_url), Blobs(target.blobs_url), say)
        rows = dict(_copy_tables(here, there, say))
        rollups.measure_all(there)
    return Copied(blobs, size, rows, list(_copy_files(source, target)))


def _must_be_current(here: Warehouse) -> None:
    if missing := here.missing_migrations():
        raise Misconfigured(
            f"the tables of {here.where} are those of an older version (without migrations {missing})",
            f"bring them up to date with its own settings first: groundswell --study {here.database} migrate",
        )


def _must_be_its_copy(source: Settings, there: Warehouse, blobs: Blobs) -> None:
    """Mark the target as the copy of the source, or check that it is one already."""
    mark = json.dumps({"folder": str(source.study_home), "study": source.study}).encode()
    if blobs.find(COPIED_FROM) is not None and blobs.get(COPIED_FROM) == mark:
        return
    if talks := rows_in(there, "videos"):
        raise Misconfigured(
            f"study {there.database!r} in {there.where} already has {talks:,} talks",
            "name another study: groundswell --study NAME migrate --from FOLDER",
        )
    blobs.put(COPIED_FROM, mark)


def _copy_blobs(here: Blobs, there: Blobs, say: Say) -> tuple[int, int]:
    """Copy the blobs; return their number and their size in bytes."""
    if here.url == there.url:
        say(f"blobs: already in {there.url}")
        return 0, 0
    keys = [key for key in here.keys("") if not key.startswith(NOT_COPIED)]
    size = 0
    for number, key in enumerate(keys, 1):
        held = here.size(key) or 0
        if held < LARGE or there.size(key) != held:
            there.copy_from(here, key)
        size += held
        if number % 1000 == 0:
            say(f"blobs: {number:,} of {len(keys):,} ({size / 1e6:,.0f} MB)")
    say(f"blobs: {len(keys):,} ({size / 1e6:,.0f} MB)")
    return len(keys), size


def _copy_tables(here: Warehouse, there: Warehouse, say: Say) -> Iterator[tuple[str, int]]:
    """Copy the rows of every table with facts; yield each table's name and number of rows."""
    known = columns(here, (TABLES.keys() | LEFT_OUT.keys()) - NOT_FACTS)
    with TemporaryDirectory(prefix="groundswell-copy-") as folder:
        for table, of in known.items():
            path = Path(folder) / f"{table}.parquet"
            export_table(here, of, path, "parquet", with_text=True)
            import_table(there, of, path, "parquet")
            path.unlink()
            rows = rows_in(there, table)
            if rows != (expected := rows_in(here, table)):
                raise DataError(
                    f"table {table} has {rows:,} rows in {there.where}, not {expected:,}",
                    "stop the agents of the cluster until the copy is complete, and start it again",
                )
            say(f"{table}: {rows:,} rows")
            yield table, rows


def _copy_files(source: Settings, target: Settings) -> Iterator[str]:
    """Copy rules of alerts and curators, unless the target has its own; yield the names of the files."""
    pairs = (source.alerts_file, target.alerts_file), (source.curators_file, target.curators_file)
    for ours, theirs in pairs:
        if ours.is_file() and not theirs.exists():
            theirs.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ours, theirs)
            yield ours.name
