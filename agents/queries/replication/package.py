"""Replication package: export of everything behind a study's numbers as files, and import into a new study.

A package is a folder: a file for each table, `package.json` (the manifest: content and provenance),
`data-dictionary.md` and `.csv` (the meaning of each column) and `SHA256SUMS`. Two exports of the same study
have identical tables and dictionaries. An import recomputes the counts from the stored facts and copies the
logs of people's decisions into the new study. A package has no audio, transcripts or topic model.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from agents.queries.replication.restored_logs import keep_logs
from streams.errors import DataError, Misconfigured
from streams.logs.codebook_log import CodebookLog
from streams.logs.corrections import Corrections
from streams.logs.judgements import Judgements
from streams.state.blobs import Blobs
from streams.store.data_dictionary import TABLES
from streams.store.exchange import (
    Column,
    Format,
    check_file,
    columns,
    export_table,
    import_table,
    reading,
    rows_in,
)
from streams.store.rollups import measure_all
from streams.store.warehouse import Warehouse

FORMAT = 1
MANIFEST, SUMS, DICTIONARY = "package.json", "SHA256SUMS", "data-dictionary"
MADE_ANEW = "video_topics"
UNCHANGED = "nothing was changed"
Say = Callable[[str], None]


class Manifest(BaseModel):
    """The content of `package.json`."""

    model_config = ConfigDict(frozen=True)

    format: int = FORMAT
    study: str
    made_at: AwareDatetime
    file_format: Format
    with_text: bool
    codebook_revision: int
    models: list[dict[str, Any]]
    """Rows {model_version, epoch, embedding_model, codebook}, oldest first."""
    software: dict[str, str]
    migrations: list[int]
    settings: dict[str, Any]
    """Settings of the machine that made the package, without secrets."""
    rows: dict[str, int]
    """Number of rows by table."""


def pack(
    warehouse: Warehouse,
    folder: Path,
    *,
    made_at: datetime,
    file_format: Format = "parquet",
    with_text: bool = False,
    software: Mapping[str, str],
    settings: Mapping[str, Any],
    say: Say,
) -> Manifest:
    """Write a study's package into a new or empty folder.

    Args:
        with_text: include the text of paragraphs and quotes; not everybody may pass transcripts on.
        software: name to version.
        settings: name to value, without secrets.
        say: called with one line of progress per table.

    Raises:
        DataError: the study has no talks, or the folder is not empty or cannot be written.
    """
    if not rows_in(warehouse, "videos"):
        raise DataError(
            f"study {warehouse.database!r} has no talks",
            "name the study with groundswell --study NAME export",
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise DataError(f"{folder} is not empty", "name a new folder")
    except OSError as error:
        raise _unwritable(folder, error) from error
    try:
        known = columns(warehouse)
        rows: dict[str, int] = {}
        for table in TABLES:
            path = folder / f"{table}.{file_format}"
            export_table(warehouse, known[table], path, file_format, with_text=with_text)
            rows[table] = rows_in(warehouse, table)
            say(f"{table}: {rows[table]:,} rows")
        manifest = Manifest(
            study=warehouse.database,
            made_at=made_at,
            file_format=file_format,
            with_text=with_text,
            codebook_revision=warehouse.rows("SELECT max(revision) AS n FROM decisions")[0]["n"],
            models=warehouse.rows("SELECT * FROM epochs FINAL ORDER BY epoch, model_version"),
            software={**software, "clickhouse": warehouse.rows("SELECT version() AS v")[0]["v"]},
            migrations=sorted(
                row["version"] for row in warehouse.rows("SELECT DISTINCT version FROM schema_versions")
            ),
            settings=dict(settings),
            rows=rows,
        )
        (folder / MANIFEST).write_text(
            json.dumps(manifest.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n", "utf-8"
        )
        (folder / f"{DICTIONARY}.csv").write_text(_as_csv(known), "utf-8")
        (folder / f"{DICTIONARY}.md").write_text(_as_markdown(known), "utf-8")
        sums = [f"{_sha256(path)}  {path.name}\n" for path in sorted(folder.iterdir())]
        (folder / SUMS).write_text("".join(sums), "utf-8")
    except BaseException as error:
        with suppress(OSError):
            for name in _names(file_format):
                (folder / name).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise _unwritable(folder, error) from error
        raise
    return manifest


def unpack(warehouse: Warehouse, blobs: Blobs, folder: Path, say: Say) -> tuple[Manifest, int]:
    """Import a package into an empty study; return its manifest and the number of talks that count.

    Raises:
        Misconfigured: the study is not empty.
        DataError: the package is damaged, has another format or other tables; nothing was changed.
    """
    _must_be_empty(warehouse, blobs)
    manifest = checked(folder)
    known = columns(warehouse)
    files = {table: folder / f"{table}.{manifest.file_format}" for table in TABLES}
    with reading(warehouse) as query:
        for table, path in files.items():
            check_file(query, known[table], path, manifest.file_format)
    say("the files are complete and have the right columns and types")
    try:
        for table, path in files.items():
            if table == MADE_ANEW:
                continue
            import_table(warehouse, known[table], path, manifest.file_format)
            held, told = rows_in(warehouse, table), manifest.rows.get(table)
            if held != told:
                raise DataError(f"{path.name} has {held} rows, but {MANIFEST} says {told}", UNCHANGED)
            say(f"{table}: {held:,} rows")
        measure_all(warehouse)
        keep_logs(warehouse, blobs)
    except BaseException:
        for table in TABLES:
            warehouse.command(f"TRUNCATE TABLE {table}")
        raise
    return manifest, rows_in(warehouse, MADE_ANEW)


def checked(folder: Path) -> Manifest:
    """Verify that a package is complete and unchanged, and return its manifest.

    Raises:
        DataError: a file is missing, changed or not listed in SHA256SUMS, or the format is unsupported.
    """
    cure = f"get the complete folder again from its author; {UNCHANGED}"
    try:
        lines = (folder / SUMS).read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{folder} is not a package: {SUMS} cannot be read", cure) from error
    sums: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        digest, _, name = line.partition("  ")
        if len(digest) != 64 or not name or Path(name).name != name:
            raise DataError(f"{SUMS} is damaged at line {number}", cure)
        sums[name] = digest
    for name, digest in sums.items():
        try:
            found = _sha256(folder / name)
        except OSError as error:
            raise DataError(f"{name} is missing or cannot be read", cure) from error
        if found != digest:
            raise DataError(f"{name} has changed since the package was made ({SUMS})", cure)
    if MANIFEST not in sums:
        raise DataError(f"{SUMS} does not list {MANIFEST}", cure)
    try:
        said = json.loads((folder / MANIFEST).read_text("utf-8"))
        if said["format"] != FORMAT:
            raise DataError(
                f"{MANIFEST} has format {said['format']}, but this groundswell reads format {FORMAT}",
                f"use the version that made it ({said.get('software', {}).get('groundswell', 'newer')})",
            )
        manifest = Manifest.model_validate(said)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        wrong = "required fields are missing"
        if isinstance(error, ValidationError):
            wrong = f"{'.'.join(map(str, error.errors()[0]['loc']))}: {error.errors()[0]['msg']}"
        raise DataError(f"{MANIFEST} is damaged ({wrong})", cure) from error
    if uncounted := sorted(set(TABLES) - set(manifest.rows)):
        raise DataError(f"{MANIFEST} is damaged (the number of rows of {uncounted[0]} is missing)", cure)
    if missing := [name for name in _names(manifest.file_format) if name not in sums and name != SUMS]:
        raise DataError(f"{SUMS} does not list {missing[0]}", cure)
    return manifest


def _must_be_empty(warehouse: Warehouse, blobs: Blobs) -> None:
    held = {table: rows for table in TABLES if (rows := rows_in(warehouse, table))}
    cure = "name a new study: groundswell --study NAME import FOLDER"
    if talks := held.get(MADE_ANEW) or held.get("videos"):
        raise Misconfigured(f"study {warehouse.database!r} already has {talks} talks", cure)
    if held:
        raise Misconfigured(f"study {warehouse.database!r} is not empty ({', '.join(held)})", cure)
    if CodebookLog(blobs).latest() or Corrections(blobs).events() or Judgements(blobs).any():
        raise Misconfigured(f"study {warehouse.database!r} already has decisions in {blobs.url}", cure)


def _names(file_format: Format) -> list[str]:
    tables = [f"{table}.{file_format}" for table in TABLES]
    return [*tables, f"{DICTIONARY}.md", f"{DICTIONARY}.csv", MANIFEST, SUMS]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _as_csv(known: Mapping[str, list[Column]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("table", "column", "type", "key", "meaning"))
    for table in TABLES:
        writer.writerow((table, "", "", "", TABLES[table]))
        writer.writerows((table, each.name, each.type, int(each.key), each.meaning) for each in known[table])
    return text.getvalue()


def _as_markdown(known: Mapping[str, list[Column]]) -> str:
    parts = [
        "# Data dictionary\n",
        "Types are ClickHouse's. A table has one row for each combination of its key columns (**bold**).",
        "Times are UTC. `paragraphs.text` and the text of `quotes` are empty in a package without text",
        "(`with_text` in `package.json`), because not everybody may pass transcripts on. `author` and",
        "`reviewer` name people.\n",
    ]
    for table in TABLES:
        parts += [f"## {table}\n", f"{TABLES[table]}\n", "| column | type | meaning |", "|---|---|---|"]
        for each in known[table]:
            name = f"**`{each.name}`**" if each.key else f"`{each.name}`"
            parts.append(f"| {name} | `{each.type}` | {each.meaning} |")
        parts.append("")
    return "\n".join(parts)


def _unwritable(folder: Path, error: OSError) -> DataError:
    return DataError(
        f"cannot write the package to {folder} ({error.strerror or error})",
        "choose a folder that you can write to",
    )
