"""Copy of a whole embedded study to another database and blob store, for a move to a cluster.

The blobs go first, because a database may lag behind them but must not be ahead of them. The Kafka topics
are not copied: the agents see that the log is a new one, and send unfinished talks again. An interrupted copy
is continued by another one. A complete one is not repeated: it would take back what the cluster did since.
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
from streams.state.blobs import Blobs, shown
from streams.store import rollups
from streams.store.data_dictionary import LEFT_OUT, TABLES
from streams.store.exchange import columns, export_table, import_table, rows_in
from streams.store.warehouse import Warehouse

COPIED_FROM = "copied_from.json"
"""Key of the blob that names the study of which this one is a copy, and says whether the copy is complete."""
NOT_COPIED = ("leases/", "reconcile/", COPIED_FROM)
"""Beginnings of the keys of blobs that belong to running processes."""
LARGE = 1_000_000
"""Size in bytes from which a blob that is there with the same size is not copied again."""
NOT_FACTS = {"video_topics", "schema_versions", "warm_up"}
"""Tables that are computed from the others, and ClickHouse's own."""
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Copied:
    """What a copy has."""

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
        Misconfigured: the target is embedded, too, has another study, or is a complete copy already; or the
            source's tables are those of another version.
        Unavailable: a database or a blob store does not answer, or the source is in use.
    """
    if target.embedded_clickhouse:
        raise Misconfigured(
            "GROUNDSWELL_CLICKHOUSE names no server, so there is nothing to copy the study to",
            "set it to the cluster's; another embedded study is a copy of the folder",
        )
    ours, theirs = Blobs(source.blobs_url), Blobs(target.blobs_url)
    with Warehouse(source, patience_s=0) as here, Warehouse(target, patience_s=60) as there:
        _must_be_current(here)
        there.migrate()
        if not _is_begun(source, theirs):
            _must_be_empty(there, ours, theirs)
            theirs.put(COPIED_FROM, _mark(source, complete=False))
        _copy_blobs(ours, theirs, say)
        rows = dict(_copy_tables(here, there, say))
        rollups.measure_all(there)
        files = list(_copy_files(source, target))
        theirs.put(COPIED_FROM, _mark(source, complete=True))
    return Copied(rows, files)


def _must_be_current(here: Warehouse) -> None:
    if missing := here.missing_migrations():
        raise Misconfigured(
            f"the tables of {here.where} are those of an older version (without migrations {missing})",
            f"bring them up to date with its own settings first: groundswell --study {here.database} migrate",
        )


def _mark(source: Settings, *, complete: bool) -> bytes:
    return json.dumps({"folder": str(source.study_home), "complete": complete}).encode()


def _is_begun(source: Settings, theirs: Blobs) -> bool:
    """Return whether an interrupted copy of the source is to be continued.

    Raises:
        Misconfigured: the copy is complete.
    """
    if theirs.find(COPIED_FROM) is None:
        return False
    mark = theirs.get(COPIED_FROM)
    if mark == _mark(source, complete=True):
        raise Misconfigured(
            f"{source.study_home} has been copied completely already; nothing was changed",
            "start the agents of the cluster; for a second copy, name another study with groundswell --study",
        )
    return mark == _mark(source, complete=False)


def _must_be_empty(there: Warehouse, ours: Blobs, theirs: Blobs) -> None:
    cure = "name another study: groundswell --study NAME migrate --from FOLDER"
    if talks := rows_in(there, "videos"):
        raise Misconfigured(f"study {there.database!r} in {there.where} already has {talks:,} talks", cure)
    if theirs.url != ours.url and any(not key.startswith(NOT_COPIED) for key in theirs.keys("")):
        raise Misconfigured(f"study {there.database!r} already has blobs in {shown(theirs.url)}", cure)


def _copy_blobs(ours: Blobs, theirs: Blobs, say: Say) -> None:
    if ours.url == theirs.url:
        say(f"blobs: already in {shown(theirs.url)}")
        return
    keys = [key for key in ours.keys("") if not key.startswith(NOT_COPIED)]
    copied = 0
    for number, key in enumerate(keys, 1):
        size = ours.size(key) or 0
        if size < LARGE or theirs.size(key) != size:
            theirs.copy_from(ours, key)
        copied += size
        if number % 1000 == 0 or number == len(keys):
            say(f"blobs: {number:,} of {len(keys):,} ({copied / 1e6:,.0f} MB)")


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
